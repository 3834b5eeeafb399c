"""Reviews as a column of the items: of the training part alone, with words that the ledger names."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from xattn import ContentAttention, DataError, InputError, Interactions, ItemTable, read_interactions
from xattn.data.feature_set import FeatureSet
from xattn.features.reviews import with_reviews

WORDS = {
    "crisp": "very crisp and salty snack",
    "sweet": "too sweet for me though creamy",
    "bitter": "strong bitter roast",
}


@cache
def made() -> tuple[Interactions, pd.DataFrame]:
    """Items of three tastes without columns; each person stays with one, and writes what its items taste like."""
    rng = np.random.default_rng(0)
    items = [f"{taste}{n}" for taste in WORDS for n in range(10)]
    rows = []
    for u in range(60):
        taste = list(WORDS)[u % 3]
        own = rng.choice([item for item in items if item.startswith(taste)], 5, replace=False)
        words = WORDS[taste].split()
        rows += [
            (f"u{u}", f"{own[e][-1]}x{items.index(own[e])}", " ".join(rng.permutation(words)[:4])) for e in range(5)
        ]
    frame = pd.DataFrame(rows, columns=["user", "item", "review"])
    return read_interactions(frame[["user", "item"]]), frame


def test_what_is_held_out_leaves_no_word() -> None:
    data, wrote = made()
    train = data.select(np.arange(data.n_events) % 5 > 0)
    pairs = {
        (data.user_ids[u], data.items.ids[i]) for u, i in zip(train.user.tolist(), train.item.tolist(), strict=True)
    }
    inside = [pair in pairs for pair in zip(wrote["user"], wrote["item"], strict=True)]
    changed = wrote.assign(review=wrote["review"].where(inside, "LEAKED secret"))
    one, other = with_reviews(train, wrote), with_reviews(train, changed)
    assert one.items.checksum == other.items.checksum
    assert sum(map(len, one.items.frame["reviews"])) < sum(map(len, with_reviews(data, wrote).items.frame["reviews"]))


def test_reasons_are_words_of_the_reviews_and_add_up() -> None:
    data, wrote = made()
    model = ContentAttention(random_state=0).fit(with_reviews(data, wrote))
    right = []
    for u in range(12):
        best = model.recommend(user=f"u{u}", k=1)["item"].iloc[0]
        why = model.explain(user=f"u{u}", item=best)
        assert abs(why.base + why.cells["contribution"].sum() - why.score) < 1e-10
        parts = why.parts("reviews")
        assert abs(parts["contribution"].sum() - why.cells["contribution"].sum()) < 1e-10
        right.append(parts.loc[parts["contribution"].idxmax(), "part"] in WORDS[list(WORDS)[u % 3]].split())
        gone = why.part_removals("reviews").iloc[0]
        twin = model.without_parts("reviews", gone["event"], [gone["place"]])
        assert abs(twin.explain(user=f"u{u}", item=best).score - gone["score_without"]) < 1e-10
    assert all(right)


def test_liked_reviews_alone() -> None:
    met = pd.DataFrame({"user": ["u", "v"], "item": ["a", "a"], "rating": [5, 1]})
    wrote = pd.DataFrame(
        {"user": ["u", "v", "v"], "item": ["a", "a", "a"], "notes": ["good " * 400, "awful<br />so", None]}
    )
    data = read_interactions(met, scale=(1, 5))
    texts = with_reviews(data, wrote, text="notes", name="wrote", liked=True).items.frame["wrote"]
    assert texts.tolist() == [("good " * 400)[:1000]]
    assert with_reviews(data, wrote, text="notes").items.frame["reviews"].str.contains("awful so").tolist() == [True]


@pytest.mark.parametrize(
    ("reviews", "said", "sentence"),
    [
        (pd.DataFrame({"user": ["u"], "item": ["a"]}), {}, "a column of the table"),
        (pd.DataFrame({"user": ["q"], "item": ["q"], "review": ["x"]}), {}, "none of 1 rows is one"),
        (pd.DataFrame({"user": ["u0"], "item": ["a"], "review": ["x"]}), {"liked": 1}, "true or false"),
        ("nosuch.csv", {}, "nosuch.csv"),
    ],
)
def test_what_does_not_fit_is_refused(reviews, said, sentence) -> None:
    with pytest.raises((InputError, DataError), match=sentence) as problem:
        with_reviews(made()[0], reviews, **said)
    assert "\n" not in str(problem.value)


def test_titles_in_other_languages_stay_and_no_column_is_written_over() -> None:
    items = ItemTable(("a",), ("Tea",), pd.DataFrame({"kind": ["leaf"]}), names={"zh": ("茶",)})
    met, wrote = (pd.DataFrame({"user": ["u"], "item": ["a"], **more}) for more in ({}, {"review": ["green"]}))
    data = Interactions.from_frame(met, items)
    assert with_reviews(data, wrote).items.in_language("zh").titles == ("茶",)
    with pytest.raises(InputError, match="got 'kind' beside 'kind'"):
        with_reviews(data, wrote, name="kind")
    own = Interactions.from_frame(met, items.with_features(FeatureSet(("soft",), np.eye(1))))
    with pytest.raises(InputError, match="features of their own"):
        with_reviews(own, wrote)
