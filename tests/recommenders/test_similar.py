"""Similar items and users: the obvious pairwise sums, what must always hold, known answers, refusals."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from tests.models import MODELS, fitted
from tests.planting import must_fail
from xattn import InputError, Interactions, ItemTable, NotFittedError, Popularity, UnknownIdError, load_dataset
from xattn.model.strength import signed
from xattn.recommenders import Recommender, similar
from xattn.recommenders.similar import SHRINK, Vectors, most_alike, similarities

every_model = pytest.mark.parametrize("name", MODELS)


def of(events: list[tuple[int, int, float]], rated: bool = True) -> Recommender:
    frame = pd.DataFrame(events, columns=["user", "item", "rating"])
    items = ItemTable.from_frame(pd.DataFrame({"item": range(6), "kind": ["x|y", "x", "y", "x", "", "z"]}))
    return Popularity().fit(Interactions.from_frame(frame if rated else frame[["user", "item"]], items))


# --- the obvious version ----------------------------------------------------------------------------------------------


def newest(events: list[tuple[int, int, float]], user: int) -> dict[int, float]:
    """Item → rating of the user's newest event with it."""
    return {item: rating for who, item, rating in events if who == user}


def cosine(a: dict[Any, float], b: dict[Any, float]) -> float:
    dot = math.fsum(a[key] * b[key] for key in a if key in b)
    size = math.sqrt(math.fsum(v * v for v in a.values())) * math.sqrt(math.fsum(v * v for v in b.values()))
    return dot / (size + SHRINK)


def people(events: list[tuple[int, int, float]]) -> dict[int, dict[int, float]]:
    """Signed strengths by user: ratings from 1 to 5 → −1 to 1."""
    users = sorted({user for user, _, _ in events})
    return {user: {i: (r - 3) / 2 for i, r in newest(events, user).items()} for user in users}


@st.composite
def acts(draw: st.DrawFn) -> list[tuple[int, int, float]]:
    """Events of up to 5 users on 6 items, repeats among them; 1 and 5 occur, so the scale is known."""
    one = st.tuples(st.integers(0, 4), st.integers(0, 5), st.sampled_from((1.0, 2.0, 3.0, 4.0, 5.0)))
    return [(0, 0, 1.0), (1, 0, 5.0), *draw(st.lists(one, max_size=20))]


def check(frame: pd.DataFrame, column: str, wanted: dict[str, float]) -> None:
    """The frame lists what is over 0 of `wanted`, the largest first, with these values."""
    over = {key: value for key, value in wanted.items() if value > 1e-12}
    found = dict(zip(frame[column], frame["similarity"], strict=True))
    assert found.keys() == over.keys()
    np.testing.assert_allclose([found[key] for key in over], list(over.values()), rtol=1e-12)
    assert frame["similarity"].is_monotonic_decreasing
    assert frame["rank"].tolist() == list(range(1, len(frame) + 1))


@given(acts())
def test_items_equal_the_obvious_version(events: list[tuple[int, int, float]]) -> None:
    model = of(events)
    who = [{user: 1.0 for user, i, _ in events if i == item} for item in range(6)]
    for item in range(6):
        wanted = {str(other): cosine(who[item], who[other]) for other in range(6) if other != item}
        check(model.similar_items(item, k=6), "item", wanted)


@given(acts())
def test_users_equal_the_obvious_version(events: list[tuple[int, int, float]]) -> None:
    model, users = of(events), people(events)
    for user, own in users.items():
        wanted = {str(other): cosine(own, theirs) for other, theirs in users.items() if other != user}
        check(model.similar_users(user, k=len(users)), "user", wanted)


@given(acts(), st.sets(st.integers(0, 5)))
def test_someone_new_and_masked_events(events: list[tuple[int, int, float]], hidden: set[int]) -> None:
    """A history that is given is compared with all users; masked, it is compared without these events."""
    model, users = of(events), people(events)
    mine = {0: 5.0, 3: 1.0, 5: 4.0}
    history = model.history(history=list(mine.items())).without([p for p, item in enumerate(mine) if item in hidden])
    own = {item: (rating - 3) / 2 for item, rating in mine.items() if item not in hidden}
    check(
        model.similar_users(history=history, k=len(users)),
        "user",
        {str(user): cosine(own, theirs) for user, theirs in users.items()},
    )


def test_features_equal_the_obvious_version() -> None:
    """One block of categories: cosine of sets; "z" stands once and so is no feature."""
    kinds = [{"x", "y"}, {"x"}, {"y"}, {"x"}, set(), set()]
    model = of([(0, 0, 1.0), (1, 0, 5.0)])
    for item, own in enumerate(kinds):
        alike = {
            str(other): len(own & theirs) / math.sqrt(max(len(own) * len(theirs), 1))
            for other, theirs in enumerate(kinds)
            if other != item
        }
        check(model.similar_items(item, k=6, by="features"), "item", alike)


# --- what must always hold --------------------------------------------------------------------------------------------


@every_model
def test_every_model_has_similar_items_and_users(name: str) -> None:
    model = fitted(name)
    items = model.similar_items("i3")
    assert items.columns.tolist() == ["rank", "item", "title", "similarity"]
    assert "i3" not in set(items["item"])
    assert items["item"].is_unique
    assert items["similarity"].between(0, 1, inclusive="right").all()
    assert items["title"].tolist() == [model.data_.items.titles[row] for row in model.data_.items.rows(items["item"])]
    users = model.similar_users("u3", k=7)
    assert users.columns.tolist() == ["rank", "user", "similarity"]
    assert len(users) == 7
    assert "u3" not in set(users["user"])


def test_alike_is_mutual() -> None:
    model = fitted("popularity")
    ids, users = model.data_.items.ids, model.data_.user_ids
    for frame, column in (
        (lambda key: model.similar_items(key, k=40), "item"),
        (lambda key: model.similar_items(key, k=40, by="features"), "item"),
        (lambda key: model.similar_users(key, k=120), "user"),
    ):
        keys = ids if column == "item" else users[:15]
        tables = {key: dict(zip(frame(key)[column], frame(key)["similarity"], strict=True)) for key in keys}
        for a in keys:
            for b in tables[a].keys() & tables.keys():
                assert tables[b][a] == pytest.approx(tables[a][b], rel=1e-12)


def test_filters_are_those_of_the_list() -> None:
    model = fitted("popularity")
    whole = model.similar_items("i0", k=40)["item"].tolist()
    drama = {i for i, g in zip(model.data_.items.ids, model.data_.items.frame["genres"], strict=True) if g == "drama"}
    assert model.similar_items("i0", k=40, where={"genres": "drama"})["item"].tolist() == [
        item for item in whole if item in drama
    ]
    assert model.similar_items("i0", k=40, exclude=whole[:2])["item"].tolist() == whole[2:]
    assert model.similar_items("i0", k=40, candidates=["i0", *whole[3:5]])["item"].tolist() == whole[3:5]
    assert model.similar_items("i0", k=3)["item"].tolist() == whole[:3]


@pytest.mark.parametrize("dense", [True, False])
def test_a_model_may_bring_vectors_of_its_own(dense: bool) -> None:
    """They are taken where nothing else is asked for, with the plain cosine."""

    class Lines(Popularity):
        def _item_vectors(self) -> Any:
            angle = np.linspace(0, np.pi, self.data_.n_items)
            lines = np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
            return lines if dense else sparse.csr_array(lines)

    model = Lines().fit(fitted("popularity").data_)
    ids = model.data_.items.ids
    found = model.similar_items(ids[0], k=2)
    assert found["item"].tolist() == [ids[1], ids[2]]
    np.testing.assert_allclose(found["similarity"], np.cos(np.pi / 39 * np.array([1, 2])), rtol=1e-6)
    assert model.similar_items(ids[0], by="users").equals(fitted("popularity").similar_items(ids[0]))


def test_equal_rows_are_equally_alike() -> None:
    """Wherever they stand: not a bit apart, so ties fall to the first row; and rounding passes no 1."""
    rng = np.random.default_rng(0)
    for d in (3, 17, 300):
        row = rng.normal(size=d)
        alike = similarities(Vectors.of(np.tile(row, (101, 1))), row)
        assert np.unique(alike).size == 1
        assert 1 - 1e-12 <= alike[0] <= 1
        best, values = most_alike(Vectors.of(np.tile(row, (101, 1))), row, np.ones(101, bool), 3)
        assert best.tolist() == [0, 1, 2]
        assert len(values) == 3


# --- known answers ----------------------------------------------------------------------------------------------------


def test_an_item_that_nobody_met_has_its_features_alone() -> None:
    model = of([(0, 0, 1.0), (1, 0, 5.0)])
    assert model.similar_items(1).empty
    assert model.similar_items(1, by="features")["item"].tolist() == ["3", "0"]


def test_thin_evidence_is_shrunk() -> None:
    """One shared user of one each: 1/(1 + 10). Twenty of twenty: 20/(20 + 10)."""
    thin = of([(0, 0, 1.0), (0, 1, 5.0)])
    assert thin.similar_items(0)["similarity"].tolist() == [pytest.approx(1 / 11)]
    thick = of([(user, item, 1.0 + item) for user in range(20) for item in (0, 1)])
    assert thick.similar_items(0)["similarity"].tolist() == [pytest.approx(20 / 30)]


def test_opposite_tastes_are_not_alike() -> None:
    """1 rates as 0 does, 2 the other way round."""
    events = [(0, 0, 5.0), (0, 1, 1.0), (1, 0, 5.0), (1, 1, 1.0), (2, 0, 1.0), (2, 1, 5.0)]
    assert of(events).similar_users(0)["user"].tolist() == ["1"]
    assert of(events, rated=False).similar_users(0)["user"].tolist() == ["1", "2"]


def test_on_the_bundled_data_it_is_quick_and_makes_sense() -> None:
    model = Popularity().fit(load_dataset("movielens-small"))
    first = model.similar_items("260", k=2)
    assert first["title"].str.startswith("Star Wars: Episode V").tolist() == [True, True]
    model.similar_users("42")
    took = []
    for call in (lambda: model.similar_items("260"), lambda: model.similar_users("42")) * 5:
        start = time.perf_counter()
        call()
        took.append(time.perf_counter() - start)
    assert sorted(took)[4] < 0.05  # 0.5 ms on an idle machine


# --- refusals ---------------------------------------------------------------------------------------------------------

REFUSED = [
    (lambda m: m.similar_items("nosuch"), UnknownIdError, "`item` must be one of the 40 items of planted-genre"),
    (lambda m: m.similar_items(None), InputError, "`item` must be an id"),
    (lambda m: m.similar_items("i1", k=0), InputError, "`k` must be a whole number from 1 to 40; got 0."),
    (lambda m: m.similar_items("i1", k=41), InputError, "`k` must be a whole number from 1 to 40; got 41."),
    (lambda m: m.similar_items("i1", by="taste"), InputError, "`by` must be one of users, features; got 'taste'."),
    (lambda m: m.similar_items("i1", where={"genre": "x"}), InputError, "`where` must name a column of the items"),
    (lambda m: m.similar_users("nobody"), UnknownIdError, "`user` must be one of the 120 users of planted-genre"),
    (lambda m: m.similar_users("u1", k=121), InputError, "`k` must be a whole number from 1 to 120; got 121."),
    (lambda m: m.similar_users(), InputError, "exactly one of `user` and `history` must be given; got none."),
    (lambda m: m.similar_users("u1", history=["i1"]), InputError, "got both"),
    (lambda m: m.similar_users(history=[("i1", 99.0)]), InputError, "rating in history"),
]


@pytest.mark.parametrize(("call", "error", "sentence"), REFUSED)
def test_wrong_arguments_get_one_sentence(call: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error) as caught:
        call(fitted("popularity"))
    assert sentence in str(caught.value)


@pytest.mark.parametrize("call", [lambda m: m.similar_items("i1"), lambda m: m.similar_users("u1")])
def test_before_fit(call: Any) -> None:
    with pytest.raises(NotFittedError):
        call(Popularity())


# --- the tests are tested ---------------------------------------------------------------------------------------------


def oldest(user: np.ndarray, item: np.ndarray, n_items: int) -> np.ndarray:
    return np.unique(user * n_items + item, return_index=True)[1]


def unshrunk(rows: Any, shrink: float = 0.0) -> Vectors:
    return Vectors(rows, np.sqrt(np.asarray((rows * rows).sum(axis=1))), 0.0)


def masked_count_too(history: Any, n_items: int, scale: Any) -> np.ndarray:
    out = np.zeros(n_items)
    out[history.item] = signed(history.rating, len(history), scale)
    return out


FAULTS = [
    (similar, "_newest", oldest, test_users_equal_the_obvious_version),
    (similar.Vectors, "of", unshrunk, test_items_equal_the_obvious_version),
    (similar.Vectors, "of", unshrunk, test_thin_evidence_is_shrunk),
    (similar, "signed_vector", masked_count_too, test_someone_new_and_masked_events),
]


@pytest.mark.parametrize(("where", "name", "faulty", "test"), FAULTS)
def test_faults_are_caught(where: Any, name: str, faulty: Any, test: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, name, faulty)
    must_fail(test)


def test_few_in_common_are_shrunk_by_ten() -> None:
    """docs/model.md (33): σ = 10. Two items that the same two people met: 2 / (√2 √2 + 10)."""
    model = of([(0, 0, 1.0), (0, 1, 5.0), (1, 0, 1.0), (1, 1, 5.0), (2, 2, 3.0)])
    assert model.similar_items(0, k=1)["similarity"].tolist() == [pytest.approx(2 / 12)]
