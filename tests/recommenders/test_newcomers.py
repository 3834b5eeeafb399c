"""Newcomers: an item without an event inherits from the features of the others, and its ledger still adds up."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from tests.models import assert_adds_up, assert_removals_hold
from xattn import History, HybridAttention, InputError, Interactions, load_model
from xattn.data.synthetic import planted
from xattn.features import newcomer_features
from xattn.model.fit.inheritance import expected, kernel_regression, regression, spread
from xattn.model.heads.inherited import InheritedPart

NEW = (3, 9, 16, 30)  # one of each genre


@cache
def data() -> Interactions:
    """Planted genres, four items of which nobody has met yet."""
    whole = planted("genre", n_users=150, seed=0).data
    return whole.select(~np.isin(whole.item, NEW))


@cache
def model(dtype: str = "float32", newcomers: float = 0.1) -> HybridAttention:
    made = HybridAttention(min_events=2, regularization=1.0, dtype=dtype, newcomers=newcomers)
    return made.fit(data())


def part(of: HybridAttention) -> InheritedPart:
    return next(p for p in of.parts_ if isinstance(p, InheritedPart))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", [*NEW, 0, 8])
def test_ledgers_of_newcomers_add_up_and_removals_hold(target: int, dtype: str) -> None:
    for user in (2, 40, 77):
        history = History.of(data(), user).without([1])
        served = float(model(dtype).scores_of(history)[target])
        why = model(dtype).explain(item=data().items.ids[target], history=history)
        assert_adds_up(why, served, dtype == "float32")
        assert_removals_hold(model(dtype), history, target, dtype == "float32")
        inherited = why.cells["head"].str.startswith("inherited")
        assert inherited.any() == (target in NEW)


def test_cells_split_over_the_features_of_the_newcomer() -> None:
    why = model().explain(user=data().user_ids[5], item=data().items.ids[NEW[0]])
    cells = why.cells[why.cells["head"] == "inherited 3"]
    genre = data().items.frame["genres"][NEW[0]]
    assert set(cells["feature"]) == {"", f"genres: {genre}", f"title: {genre}", "title: item"}
    assert cells.groupby("position").size().eq(4).all()


def test_a_newcomer_of_the_right_kind_comes_before_the_others() -> None:
    """Users stay with their genre in this data: of the newcomers, those of a user's genre must stand first."""
    genre = data().items.frame["genres"].to_numpy()
    right = 0
    for user in range(data().n_users):
        own = genre[History.of(data(), user).item]
        score = model().scores_of(History.of(data(), user))[list(NEW)]
        right += genre[NEW[int(score.argmax())]] == max(set(own), key=list(own).count)
    assert right > 0.7 * data().n_users


def places_of_newcomers(of: HybridAttention, k: int) -> float:
    share = []
    for user in range(data().n_users):
        history = History.of(data(), user)
        score = of.scores_of(history).copy()
        score[history.item] = -np.inf
        share.append(np.isin(np.argsort(-score, kind="stable")[:k], NEW).mean())
    return float(np.mean(share))


def test_newcomers_take_the_share_that_they_may() -> None:
    k = (data().n_items - len(NEW)) // 10
    for wanted in (0.03, 0.08):
        assert places_of_newcomers(model(newcomers=wanted), k) == pytest.approx(wanted, abs=0.02)
    assert places_of_newcomers(model(newcomers=0.0), k) == 0.0


def test_without_a_share_nothing_is_inherited() -> None:
    """`newcomers=0` is the model without the part: no cell, the base of one event more than none."""
    none = model(newcomers=0.0)
    assert not any(isinstance(p, InheritedPart) for p in none.parts_)
    assert none.base_[list(NEW)] == pytest.approx(none.base_.min())
    assert (model().base_[list(NEW)] > none.base_[list(NEW)]).all()
    met = np.setdiff1d(np.arange(data().n_items), NEW)
    history = History.of(data(), 9)
    np.testing.assert_array_equal(model().scores_of(history)[met], none.scores_of(history)[met])


def test_data_without_newcomers_is_fitted_as_before() -> None:
    whole = planted("genre", n_users=150, seed=0).data
    fitted = HybridAttention(min_events=2, regularization=1.0).fit(whole)
    assert not any(isinstance(p, InheritedPart) for p in fitted.parts_)


def test_a_saved_model_scores_alike(tmp_path: Path) -> None:
    model().save(tmp_path / "m.npz")
    loaded = load_model(tmp_path / "m.npz")
    for user in (0, 31):
        history = History.of(data(), user)
        np.testing.assert_array_equal(loaded.scores_of(history), model().scores_of(history))


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), "half"])
def test_wrong_shares_are_refused(share: object) -> None:
    with pytest.raises(InputError, match="`newcomers` must be a finite number >= 0 and <= 1"):
        HybridAttention(newcomers=share).fit(data())  # type: ignore[arg-type]


# --- the parts, by hand -----------------------------------------------------------------------------------------------


def test_the_regression_is_that_of_sklearn() -> None:
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    F, y = rng.random((30, 4)), rng.random(30)
    new = np.array([27, 28, 29])
    ours = expected(y, sparse.csr_array(F), new, -np.inf)
    theirs = Ridge(alpha=20.0).fit(F[:27], y[:27]).predict(F[27:])
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    assert expected(y, sparse.csr_array(F), new, 9.0).tolist() == [9.0] * 3


def test_what_is_fresh_decides_the_base_of_newcomers() -> None:
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(2)
    F, y, young = rng.random((30, 4)), rng.random(30), rng.random(30)
    new, met = np.array([4, 9]), np.setdiff1d(np.arange(30), [4, 9])
    worth = young[met] * (1 - young[met])
    theirs = Ridge(alpha=2.0).fit(F[met], y[met] / (1 - young[met]), sample_weight=worth).predict(F[new])
    ours = expected(y, sparse.csr_array(F), new, -np.inf, 2.0, young)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("d", [3, 12, 40])
def test_the_regression_is_a_linear_map_whether_features_are_many_or_few(d: int) -> None:
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(d)
    F, y = rng.random((12, d)), rng.random(12)
    theirs = Ridge(alpha=0.7).fit(F, y)
    ours = regression(sparse.csr_array(F), 0.7) @ y
    np.testing.assert_allclose(ours, np.append(theirs.coef_, theirs.intercept_), rtol=1e-9, atol=1e-12)
    by_items = kernel_regression(F @ F.T, 0.7) @ y
    np.testing.assert_allclose(F @ F.T @ by_items[:-1] + by_items[-1], theirs.predict(F), rtol=1e-9)


def test_spread_keeps_to_the_share_as_if_every_newcomer_were_asked() -> None:
    """The obvious way: rank all newcomers beside all others, for factors on a fine scale."""
    rng = np.random.default_rng(1)
    warm, rest, new = rng.normal(size=(30, 80)), rng.normal(-2, 1, size=(30, 50)), rng.normal(size=(30, 50))
    lifts = rng.normal(size=(30, 80))

    def share(s: float) -> float:
        both = np.hstack([warm, rest + s * new])
        return float((np.argsort(-both, axis=1)[:, :8] >= 80).mean())

    found = spread(warm, lifts, np.hstack([lifts / 9.0, new]), rest, 0.2)
    assert 0.0 < found < 9.0
    assert share(found) <= 0.2 < share(found + 1e-6)


def test_spread_is_the_ratio_of_deviations_where_the_share_allows_it() -> None:
    rng = np.random.default_rng(0)
    lifts = rng.normal(size=(20, 60))
    alike = np.hstack([0.25 * lifts, np.zeros((20, 5))])
    assert spread(lifts, lifts, alike, np.full(5, -9.0), 0.1) == pytest.approx(4.0)


def test_spread_stops_at_the_share() -> None:
    rng = np.random.default_rng(0)
    lifts = rng.normal(size=(40, 60))
    alike = np.hstack([0.1 * lifts, 0.1 * rng.normal(size=(40, 60))])
    s = spread(lifts, lifts, alike, np.zeros(60), 0.2)
    both = np.hstack([lifts, s * alike[:, 60:]])
    places = np.argsort(-both, axis=1)[:, :50]
    assert 0 < s < 10
    assert (places[:, :6] >= 60).mean() == pytest.approx(0.2, abs=0.01)


def test_title_words_are_those_that_newcomers_share() -> None:
    items = planted("genre", n_users=5, seed=0).data.items
    titles = ("Blade", "Blade II", "Shrek", "Shrek Forever", *items.titles[4:])
    table = type(items)(items.ids, titles, items.frame)
    new = np.zeros(len(items), bool)
    new[1] = True
    names = newcomer_features(table, new).names
    assert "title: blade" in names
    assert "title: shrek" not in names
