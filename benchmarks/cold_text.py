"""What texts do for items that nobody has met: HybridAttention with and without its text blocks, on five real sets.

    python benchmarks/cold_text.py DATA [--users 1000] [--cold | --next-item] [--blocks "without texts" all ...]
                                        [goodbooks|retail|journey|restaurants|entree ...]

DATA is a folder with the folders goodbooks-10k-sample, uci-online-retail, complete-journey, uci-restaurant-consumer,
uci-entree. Each is read as anybody would read it: the events, and a table of items with its columns of texts. The
protocol is `xattn.evaluate.cold` (recall@50 of hidden items among the whole catalogue, recall@10 of the 130
restaurants; 1,000 users at most), then, without --cold, the next item.
*without texts* is what columns and words of titles said before there were texts; *nor words of titles* is the same
where titles say nothing; *with vectors* has the texts twice where attention looks too, as keywords and as vectors of
their words. --blocks names the rows that are wanted, as they are called in the output; "singles" are all single blocks.
`first_ahead` is how far the first row is ahead of this one over the same users, with its 95 % interval (bootstrap over
users); `way` is how newcomers are scored, where that is chosen (`xattn/recommenders/rehearsal.py`).
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from xattn import HybridAttention, Interactions, ItemTable, read_interactions
from xattn.evaluate.bootstrap import interval
from xattn.evaluate.cold import _asked as asked
from xattn.evaluate.cold import hidden_items, questions_of
from xattn.evaluate.questions import last_events
from xattn.evaluate.ranking import rank
from xattn.features import make_features
from xattn.recommenders.rehearsal import Way
from xattn.scenarios.convert import CONVERTERS


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


def restaurants(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    own = folder / "uci-restaurant-consumer"
    ratings = pd.read_csv(own / "rating_final.csv", dtype=str).rename(columns={"userID": "user", "placeID": "item"})
    places = pd.read_csv(own / "geoplaces2.csv", dtype=str, encoding="latin-1").rename(columns={"name": "title"})
    said = ["alcohol", "smoking_area", "dress_code", "accessibility", "price", "Rambience", "area", "other_services"]
    for name, column in (("cuisine", "Rcuisine"), ("parking", "parking_lot"), ("accepts", "Rpayment")):
        lists = pd.read_csv(own / f"chefmoz{name}.csv", dtype=str)
        places[name] = places["placeID"].map(lists.groupby("placeID")[column].agg("|".join)).fillna("")
        said.append(name)
    places["label"] = places["title"] + " in " + places["city"] + " " + places[said].agg(" ".join, axis=1)
    places["label"] = places["label"].str.replace("|", " ", regex=False)
    return ratings[["user", "item"]], places.rename(columns={"placeID": "item"})[["item", "title", *said, "label"]]


def entree(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    found = CONVERTERS["entree"](folder / "uci-entree")
    items = found.items
    assert items is not None
    items["label"] = items["title"] + " " + items["what it is"].str.replace("|", " ", regex=False)
    return found.events[["user", "item", "time"]].drop_duplicates(["user", "item"]), items


SETS = {"goodbooks": goodbooks, "retail": retail, "journey": journey, "restaurants": restaurants, "entree": entree}
PLACES = {"restaurants": 10}  # of a list, where 50 are too many of the catalogue


def some(data: Interactions, most: int) -> Interactions:
    """At most so many users, drawn."""
    if data.n_users <= most:
        return data
    keep = np.sort(np.random.default_rng(0).choice(data.n_users, most, replace=False))
    return data.select(np.isin(data.user, keep))


def with_columns(data: Interactions, names: list[str]) -> Interactions:
    """The same data with these columns of the items alone. Where none is left, the words of the titles speak."""
    items = ItemTable(data.items.ids, data.items.titles, data.items.frame[names])
    return replace(data, items=items)


def without_titles(data: Interactions) -> Interactions:
    """The same data, where titles are ids, which share no word."""
    return replace(data, items=ItemTable(data.items.ids, data.items.ids, data.items.frame))


def with_vectors(data: Interactions, texts: list[str]) -> Interactions:
    """The same data, its `texts` as keywords and as vectors of their words."""
    features = make_features(data.items, {text: ["text", "vectors"] for text in texts})
    return replace(data, items=data.items.with_features(features))


def kinds_of(data: Interactions) -> dict[str, tuple[Interactions, str]]:
    """The data with some of its blocks, and how these are fused, by what a row is called."""
    every = [str(column) for column in data.items.frame.columns]
    texts = [block for block in make_features(data.items).parts if block in every]
    others = [column for column in every if column not in texts]
    before, whole = with_columns(data, others), with_columns(data, every)
    kinds = {
        "all": (whole, "multiply"),
        "without texts": (before, "multiply"),
        "without texts, nor words of titles": (without_titles(before), "multiply"),
        "all, softmax": (whole, "softmax"),
        "all, with vectors": (with_vectors(whole, texts), "multiply"),
        "all, with vectors, softmax": (with_vectors(whole, texts), "softmax"),
    }
    return kinds | {f"{column} alone": (with_columns(data, [column]), "multiply") for column in every}


class Measured(NamedTuple):
    """Each user's `figures` (U,): recall@k and more of *cold*, NDCG@k of *next-item*; the fit's time and chosen way."""

    figures: dict[str, np.ndarray]
    seconds: float
    way: Way | None


def measured(data: Interactions, fusion: str, protocol: str, k: int) -> Measured:
    model = HybridAttention(learned="never", fusion=fusion)
    start = time.perf_counter()
    if protocol == "cold":
        hidden = hidden_items(data, np.random.default_rng(0))
        train = data.select(~hidden[data.item])
        questions = questions_of(data, train, hidden)
        model.fit(train)
        seconds = time.perf_counter() - start
        _, place = np.unique([question.user for question in questions], return_inverse=True)
        found = asked(model, questions, hidden, k)
        names = (f"recall@{k}", f"cold_recall@{k}", "cold_share")
        figures = {name: np.bincount(place, found[name]) / np.bincount(place) for name in names}
    else:
        held = last_events(data, "drop")
        model.fit(held.train)
        seconds = time.perf_counter() - start
        ranks = [of[0] if len(of) else np.inf for of in rank(model, held, k).ranks]
        figures = {f"ndcg@{k}": np.array([1 / np.log2(1 + r) if r <= k else 0.0 for r in ranks])}
    return Measured(figures, seconds, model.way_)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--next-item", action="store_true", help="the next item alone")
    parser.add_argument(
        "--blocks", nargs="*", help="these rows alone, by name; the first is what others are paired with"
    )
    asked_for = parser.parse_intermixed_args()
    for name in asked_for.sets:
        cold, warm = ("cold", PLACES.get(name, 50)), ("next-item", 10)
        protocols = [cold] if asked_for.cold else [warm] if asked_for.next_item else [cold, warm]
        events, items = SETS[name](asked_for.data)
        data = some(read_interactions(events, items=items).without_repeats(), asked_for.users)
        kinds = kinds_of(data)
        wanted = list(asked_for.blocks or kinds)
        if "singles" in wanted:
            wanted += [what for what in kinds if what.endswith(" alone")]
        rows = {what: kinds[what] for what in wanted if what in kinds}
        for protocol, k in protocols:
            first: np.ndarray | None = None
            for what, (own, fusion) in rows.items():
                figures, seconds, way = measured(own, fusion, protocol, k)
                values = next(iter(figures.values()))
                said: dict[str, object] = {key: round(float(own.mean()), 4) for key, own in figures.items()}
                said |= {"fit_s": round(seconds, 1), "way": way}
                said["ci95"] = [round(x, 4) for x in interval(values, 0)]
                if first is not None:
                    ahead = first - values
                    said["first_ahead"] = round(float(ahead.mean()), 4)
                    said["first_ahead_ci95"] = [round(x, 4) for x in interval(ahead, 0)]
                first = values if first is None else first
                facts = {"set": name, "protocol": protocol, "blocks": what, "users": len(values)}
                print(json.dumps({**facts, **said}), flush=True)


if __name__ == "__main__":
    main()
