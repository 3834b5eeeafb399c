"""Real sets (set XATTN_TEST_DATA to a folder that holds them): right roles, right sizes, or told as unsure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xattn.data import read_interactions, read_items
from xattn.errors import DataError

FOLDER = Path(os.environ.get("XATTN_TEST_DATA", "/nowhere"))
SETS = {  # file: columns by role, users, items and events
    "amazon-beauty/events.csv.gz": ({"user": "user", "item": "item"}, 22_363, 12_101, 198_502),
    "complete-journey/transactions_hh10.csv.gz": (
        {"user": "household_id", "item": "product_id", "amount": "quantity", "time": "transaction_timestamp"},
        *(249, 25_842, 150_512),
    ),
    "complete-journey/campaigns.csv.gz": ({"user": "household_id", "item": "campaign_id"}, 0, 0, 608),
    "deezer-ro/RO_genres.json.gz": ({"user": "user", "item": "item"}, 41_773, 84, 252_132),
    "goodbooks-10k-sample/ratings_random.csv.gz": (
        {"user": "user_id", "item": "book_id", "rating": "rating"},
        *(2_672, 9_990, 298_176),
    ),
    "informfully-idea/bookmarks.csv.gz": (
        {"user": "informfully_id", "item": "articleId", "time": "createdAt"},
        *(254, 765, 2_479),
    ),
    "informfully-idea/ratings.csv.gz": (
        {"user": "informfully_id", "item": "articleId", "rating": "articleAnswer", "time": "createdAt"},
        *(486, 1_131, 28_382),
    ),
    "insteval/insteval.csv.gz": ({"user": "s", "item": "d", "rating": "y"}, 2_972, 1_128, 73_421),
    "movielens-small-2016/ratings.csv": (
        {"user": "userId", "item": "movieId", "rating": "rating", "time": "timestamp"},
        *(671, 9_066, 100_004),
    ),
    "otto-sample/train.jsonl": ({"user": "session", "item": "aid", "time": "ts", "kind": "type"}, 20, 510, 862),
    "oulad/studentAssessment.csv.gz": (
        {"user": "id_student", "item": "id_assessment", "time": "date_submitted", "rating": "score"},
        *(23_369, 188, 173_912),
    ),
    "stackexchange-quantum/events.csv.gz": (
        {"user": "user", "item": "question", "kind": "event", "time": "time", "rating": "score"},
        *(555, 612, 5_810),
    ),
    "uci-clickstream-eshop/clickstream+data+for+online+shopping.zip": (
        {"user": "session ID", "item": "page 2 (clothing model)", "time": "year"},
        *(24_026, 217, 165_474),
    ),
    "uci-msweb/visits.csv.gz": ({"user": "user", "item": "item"}, 32_710, 285, 98_653),
    "uci-restaurant-consumer/rating_final.csv": (
        {"user": "userID", "item": "placeID", "rating": "rating"},
        *(138, 130, 1_161),
    ),
    "x-wines/XWines_Test_1K_ratings.csv": (
        {"user": "UserID", "item": "WineID", "rating": "Rating", "time": "Date"},
        *(636, 100, 1_000),
    ),
}
NONE_OF_IT = ("small-fine-foods/reviews.csv.gz", "uci-diabetes-130/dataset_diabetes.zip")  # no people, or not one table


def of(name: str) -> Path:
    path = FOLDER / name
    if not path.exists():
        pytest.skip("XATTN_TEST_DATA names no folder with this set")
    return path


@pytest.mark.parametrize("name", SETS)
def test_roles_and_sizes(name: str) -> None:
    roles, users, items, events = SETS[name]
    data = read_interactions(of(name))
    assert {use.role: use.column for use in data.report.columns if use.role} == roles
    assert data.n_events == events
    if users:
        assert (data.n_users, data.n_items) == (users, items)


@pytest.mark.parametrize("name", NONE_OF_IT)
def test_what_holds_no_events_is_refused(name: str) -> None:
    with pytest.raises(DataError):
        read_interactions(of(name))


def test_scales() -> None:
    assert read_interactions(of("insteval/insteval.csv.gz")).scale.span == (1, 5)
    assert read_interactions(of("oulad/studentAssessment.csv.gz")).scale.span == (0, 100)
    assert read_interactions(of("informfully-idea/ratings.csv.gz")).scale.span == (-1, 1)
    assert read_interactions(of("x-wines/XWines_Test_1K_ratings.csv")).scale.certain
    assert not read_interactions(of("uci-restaurant-consumer/rating_final.csv")).scale.certain
    assert read_interactions(of("stackexchange-quantum/events.csv.gz")).scale.kind == "amount"


def test_items() -> None:
    wines = read_items(of("x-wines/XWines_Test_100_wines.csv"))
    assert len(wines) == 100
    assert "Beef|Lamb|Veal" in wines.frame["Harmonize"][wines.row("100062")]
    cars = read_items(of("fueleconomy-cars/vehicles.csv.gz"))
    assert len(cars) == 33_442
    assert len(read_items(of("complete-journey/products.csv.gz"))) == 25_832
    books = read_items(of("goodbooks-10k-sample/book_metadata.csv"))
    assert books.frame["genres"][0].startswith("contemporary|fantasy|")
