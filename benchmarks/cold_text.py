"""What texts do for items that nobody has met: HybridAttention with and without its text blocks, on three real sets.

    python benchmarks/cold_text.py DATA [goodbooks|retail|journey ...]

DATA is a folder with the folders goodbooks-10k-sample, uci-online-retail, complete-journey. Each is read as anybody
would read it: the events, and a table of items with its columns of texts. The protocol is `xattn.evaluate.cold`
(recall@50 of hidden items among the whole catalogue, 1,000 users at most), then the next item. *without texts* is what
columns and words of titles said before there were texts.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from xattn import HybridAttention, Interactions, ItemTable, read_interactions
from xattn.evaluate import evaluate
from xattn.features import make_features

USERS = 1000


def goodbooks(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    ratings = pd.read_csv(folder / "goodbooks-10k-sample" / "ratings_random.csv.gz", dtype=str)
    meta = pd.read_csv(folder / "goodbooks-10k-sample" / "book_metadata.csv", dtype=str)
    meta["subject"] = meta["title"] + " by " + meta["authors"].fillna("")
    ratings = ratings.rename(columns={"user_id": "user", "book_id": "item"})[["user", "item"]]
    return ratings, meta.rename(columns={"book_id": "item"})[["item", "title", "authors", "genres", "subject"]]


def retail(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    lines = pd.read_csv(folder / "uci-online-retail" / "online_retail.csv.gz", dtype=str)
    lines = lines[lines["CustomerID"].notna() & (lines["Quantity"].astype(float) > 0)]
    events = lines.rename(columns={"CustomerID": "user", "StockCode": "item", "InvoiceDate": "timestamp"})
    items = events.drop_duplicates("item")[["item", "Description"]].rename(columns={"Description": "description"})
    return events[["user", "item", "timestamp"]].drop_duplicates(["user", "item"]), items


def journey(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    own = folder / "complete-journey"
    lines = pd.read_csv(own / "transactions_hh10.csv.gz", dtype=str)
    products = pd.read_csv(own / "products.csv.gz", dtype=str).fillna("")
    events = lines.rename(columns={"household_id": "user", "product_id": "item", "transaction_timestamp": "timestamp"})
    events = events[["user", "item", "timestamp"]].drop_duplicates(["user", "item"])
    products["title"] = products["product_type"]
    products["label"] = products["product_category"] + " " + products["product_type"] + " " + products["brand"]
    products["label"] += " by " + products["manufacturer_id"] + " of " + products["package_size"]
    products = products.rename(columns={"product_id": "item"})
    return events, products[["item", "title", "department", "brand", "product_category", "product_type", "label"]]


def some(data: Interactions) -> Interactions:
    """At most so many users, drawn."""
    if data.n_users <= USERS:
        return data
    keep = np.sort(np.random.default_rng(0).choice(data.n_users, USERS, replace=False))
    return data.select(np.isin(data.user, keep))


def with_columns(data: Interactions, names: list[str]) -> Interactions:
    """The same data with these columns of the items alone. Where none is left, the words of the titles speak."""
    items = ItemTable(data.items.ids, data.items.titles, data.items.frame[names])
    return replace(data, items=items)


def main() -> None:
    folder, names = Path(sys.argv[1]), sys.argv[2:] or ["goodbooks", "retail", "journey"]
    for name in names:
        events, items = {"goodbooks": goodbooks, "retail": retail, "journey": journey}[name](folder)
        data = some(read_interactions(events, items=items))
        every = [str(column) for column in data.items.frame.columns]
        texts = [block for block in make_features(data.items).parts if block in every]
        others = [column for column in every if column not in texts]
        kinds = {
            "without texts": (others, "multiply"),
            "all": (every, "multiply"),
            "texts alone": (texts, "multiply"),
            "all, softmax": (every, "softmax"),
        }
        for what, (columns, fusion) in kinds.items():
            for protocol, k in (("cold", 50), ("next-item", 10)):
                make = partial(HybridAttention, learned="never", fusion=fusion)
                found = evaluate(with_columns(data, columns), {what: make}, protocol=protocol, k=k)
                row = found["rows"][0]
                keys = (f"recall@{k}", f"cold_recall@{k}", f"ndcg@{k}", "cold_share", "fit_s")
                said = {key: round(row[key], 4) for key in keys if key in row}
                metric = f"recall@{k}" if protocol == "cold" else f"ndcg@{k}"
                said["ci95"] = [round(x, 4) for x in row["ci95"][metric]]
                facts = {"set": name, "protocol": protocol, "columns": columns, "blocks": what, "users": found["users"]}
                print(json.dumps({**facts, **said}), flush=True)


if __name__ == "__main__":
    main()
