"""The content head: scores equal the dense sum, cells split over shared features, worths solve their ridge problem."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged
from tests.model.heads import FEATURES, M, content, histories, strengths
from xattn.data import History
from xattn.model.fit import worths as worths_module
from xattn.model.fit.worths import fit_feature_worths
from xattn.model.heads.content import NAME, ContentPart, ItemFeatures


def obvious_field(part: ContentPart, history: History, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E and X (M, n) of all items, from the dense features."""
    F, norm = part.features.F.toarray(), part.features.norm
    own = F[history.item]
    unit, weighted = (own / norm[history.item][:, None]).T, (own * w[:, None]).T
    g = history.age / part.tau
    return naive.content_field(F, norm, part.worth, part.gate, unit, weighted, g, part.temperature)


# --- item features ----------------------------------------------------------------------------------------------------


def test_features_know_their_lengths_and_rows() -> None:
    F = np.array([[3.0, 0.0, 4.0], [0.0, 0.0, 0.0], [0.0, -2.0, 0.0]])
    features = ItemFeatures.of(("a", "b", "c"), F)
    assert features.norm.tolist() == [5.0, 1.0, 2.0]  # an item without features divides by 1
    ptr, index, value, norm = features.targets(np.array([2, 0, 1, 0]))
    assert ptr.tolist() == [0, 1, 3, 3, 5]
    assert index.tolist() == [1, 0, 2, 0, 2]
    assert value.tolist() == [-2.0, 3.0, 4.0, 3.0, 4.0]
    assert norm.tolist() == [2.0, 5.0, 1.0, 5.0]
    assert (ptr.dtype, index.dtype) == (np.int64, np.int64)
    unit, weighted = features.events(np.array([0, 1]), np.array([-1.0, 0.5]))
    assert_within(unit, np.array([[0.6, 0.0], [0.0, 0.0], [0.8, 0.0]]), 1e-15)
    assert weighted.tolist() == [[-3.0, 0.0], [0.0, 0.0], [-4.0, 0.0]]
    assert unit.flags.c_contiguous
    assert weighted.flags.c_contiguous


def test_items_of_the_same_features_are_one_kind() -> None:
    F = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 0.0], [0.0, 0.0], [0.0, 2.5], [0.0, 0.0]])
    features = ItemFeatures.of(("a", "b"), F)
    assert features.kind.tolist() == [0, 1, 0, 2, 3, 2]
    for got, want in zip(features.kinds, features.targets(np.array([0, 1, 3, 4])), strict=True):
        assert_bitwise(got, want)
    none = ItemFeatures.of((), np.empty((3, 0)))
    assert none.kind.tolist() == [0, 0, 0]


@given(content())
def test_all_targets_are_each_of_them(part: ContentPart) -> None:
    for got, want in zip(part.features.targets(None), part.features.targets(np.arange(M)), strict=True):
        assert_bitwise(np.asarray(got), np.asarray(want))


# --- the part ---------------------------------------------------------------------------------------------------------


@given(content(), histories(), st.data())
def test_scores_equal_the_dense_sum(part: ContentPart, history: History, data: st.DataObject) -> None:
    """Errors of a cosine over T ≥ 0.1, twice in a weight: 1e-13 of what is added up."""
    w = data.draw(strengths(history))
    with unchanged(w, part.features.F.data, part.worth, part.gate):
        got = part.scores(history, w)
    E, X = obvious_field(part, history, w)
    a = naive.field_weights(E, history.live, part.beta, 0.0)
    if (np.abs(a - part.theta) > 1e-9).all() or part.theta == 0:
        want = naive.field_scores(E, X, history.live, part.beta, part.theta)
        F = np.abs(part.features.F.toarray())
        size = (a * np.abs(w)) @ np.ones(len(history)) * part.gate * (F @ np.abs(part.worth)) * F.max(initial=0.0)
        assert_within(got, want, absolute=1e-13 * size)


@given(content(), histories(), st.data())
def test_cells_name_the_features_that_both_sides_have(part: ContentPart, history: History, data: st.DataObject) -> None:
    w = data.draw(strengths(history))
    F = part.features.F.toarray()
    for j in range(M):
        found = part.cells(history, w, j)
        if not part.features.names:
            assert found == []
            continue
        cells = found[0]
        shared = [f for f in range(F.shape[1]) if F[j, f] != 0 and (F[history.item, f] != 0).any()]
        assert (cells.name, cells.features) == (NAME, tuple(FEATURES[f] for f in shared))
        assert cells.gate == part.gate[j]
        assert_bitwise(cells.strength, w)
        for column, f in enumerate(shared):
            assert_within(cells.value[:, column], F[history.item, f] * F[j, f] * part.worth[f], 1e-15)


def test_no_features_no_field() -> None:
    part = ContentPart(ItemFeatures.of((), np.empty((M, 0))), np.empty(0), 1.0, 5.0, 1.0, 0.0, np.ones(M))
    history = History(np.array([1]), None, np.zeros(1), np.ones(1, bool))
    assert part.fields(history, np.ones(1), np.arange(2)) == []
    assert part.cells(history, np.ones(1), 0) == []
    assert_bitwise(part.scores(history, np.ones(1)), np.zeros(M))


def test_by_hand() -> None:
    """Two genres. The target has the first; so has the newest event, liked, not the older one: cosines 1 and 0."""
    features = ItemFeatures.of(("a", "b"), np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]]))
    part = ContentPart(features, np.array([0.5, 9.0]), 1.0, 1e9, 1.0, 0.0, np.array([0.1, 0.2, 0.3]))
    history = History(np.array([1, 0]), None, np.array([1.0, 0.0]), np.ones(2, bool))
    a = np.e / (np.e + 1)
    assert_within(part.scores(history, np.ones(2))[2], 0.3 * a * 0.5 * 2.0, 1e-9)  # ages differ by 1e-9
    cells = part.cells(history, np.array([1.0, -1.0]), 2)[0]
    assert cells.features == ("a",)
    assert_within(cells.contribution, np.array([[0.0], [-0.3 * a]]), 1e-9)


# --- worths -----------------------------------------------------------------------------------------------------------


class EveryDraw:
    """A generator that draws each prefix once, and the targets in the proportions of the base: no chance is left."""

    def choice(
        self, of: Any, size: int | tuple[int, int], *, replace: bool = True, p: np.ndarray | None = None
    ) -> np.ndarray:
        if p is None:
            assert not replace
            return of[::-1]  # in any order
        prefixes, targets = size
        counts = np.rint(p * targets).astype(int)
        assert counts.sum() == targets
        return np.tile(np.repeat(np.arange(len(p)), counts), (prefixes, 1))


BASE = np.array([0.25, 0.125, 0.125, 0.5])
KNOWN = ItemFeatures.of(("a", "b", "c"), np.array([[1.0, 0, 0], [1.0, 2.0, 0], [0, 1.0, -1.0], [0, 0, 0]]))
INDPTR, ITEM = np.array([0, 4, 5, 5, 9]), np.array([0, 1, 1, 2, 3, 2, 0, 3, 1])
W = np.array([1.0, -0.5, 1.0, 1.0, 1.0, 0.3, 1.0, -1.0, 1.0])


def pooled_features(T: float, tau: float, beta: float, newest: int) -> tuple[np.ndarray, np.ndarray]:
    """Per prefix and target, √b_j p_tj and √b_j (y_tj/b_j − 1): the rows of the least-squares problem, one by one."""
    rows, wanted = [], []
    F, norm = KNOWN.F.toarray(), KNOWN.norm
    for u in range(len(INDPTR) - 1):
        for t in range(INDPTR[u] + 1, INDPTR[u + 1]):
            past = range(max(INDPTR[u], t - newest), t)
            for j in range(4):
                e = np.array([F[ITEM[i]] @ F[j] / (norm[ITEM[i]] * norm[j] * T) - (t - 1 - i) / tau for i in past])
                z = np.exp(e - e.max())
                a = z / z.sum() ** beta
                p = sum(a[x] * W[i] * F[ITEM[i]] * F[j] for x, i in enumerate(past))
                rows.append(np.sqrt(BASE[j]) * p)
                wanted.append(np.sqrt(BASE[j]) * ((ITEM[t] == j) / BASE[j] - 1))
    return np.array(rows), np.array(wanted)


@pytest.mark.parametrize("dense", [3000, 0])
@pytest.mark.parametrize("newest", [200, 2])
@pytest.mark.parametrize(("T", "tau", "beta"), [(1.0, 5.0, 1.0), (0.2, 1.0, 0.5)])
def test_worths_are_the_ridge_solution(
    T: float, tau: float, beta: float, newest: int, dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every prefix drawn and the targets in their shares, the sample is the whole problem (eq. 8).

    Few features are solved for as a table, many by conjugate gradients, which solve the leading ones as a table.
    """
    monkeypatch.setattr(worths_module, "DENSE", dense)
    monkeypatch.setattr(worths_module, "LEADING", 1)
    monkeypatch.setattr(worths_module, "SAMPLED_TARGETS", 8)
    monkeypatch.setattr(worths_module, "NEWEST", newest)
    with unchanged(INDPTR, ITEM, W, BASE):
        got = fit_feature_worths(
            KNOWN, INDPTR, ITEM, W, BASE, temperature=T, tau=tau, beta=beta, rng=EveryDraw()  # type: ignore[arg-type]
        )  # fmt: skip
    rows, wanted = pooled_features(T, tau, beta, newest)
    ridge = 1e-2 * (rows**2).sum() / 3 + 1e-12
    more, zeros = np.sqrt(ridge) * np.eye(3), np.zeros(3)
    want = np.linalg.lstsq(np.vstack([rows, more]), np.concatenate([wanted, zeros]), rcond=None)[0]
    assert_within(got, want, absolute=1e-10)


def worths(seed: int, features: ItemFeatures = KNOWN, w: np.ndarray = W) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return fit_feature_worths(features, INDPTR, ITEM, w, BASE, temperature=1.0, tau=5.0, beta=1.0, rng=rng)


def test_worths_are_repeatable_and_near_each_other() -> None:
    assert_bitwise(worths(0), worths(0))
    assert (worths(0) != worths(1)).any()  # a sample, after all


def test_turned_strengths_turn_the_worths() -> None:
    """Attention does not look at strengths, so p and with it θ change their sign: exactly."""
    assert_bitwise(worths(0, w=-W), -worths(0))


def test_a_feature_that_nobody_has_is_worth_nothing() -> None:
    more = ItemFeatures.of((*KNOWN.names, "d"), np.hstack([KNOWN.F.toarray(), np.zeros((4, 1))]))
    assert worths(0, more)[3] == 0.0


def test_what_people_go_on_to_has_worth() -> None:
    """After a Drama comes another, after a War another: both worths lift. Where the feature that all items have is the
    only one in common, the target is of the other kind, which does not come: it lowers."""
    F = np.array([[1.0, 0, 1], [1.0, 0, 1], [0, 1.0, 1], [0, 1.0, 1]])
    item = np.array([0, 1, 0, 1, 0, 2, 3, 2, 3, 2] * 20)
    theta = fit_feature_worths(
        ItemFeatures.of(("Drama", "War", "any"), F),
        np.arange(0, 201, 5),
        item,
        np.ones(200),
        np.full(4, 0.25),
        temperature=1.0,
        tau=5.0,
        beta=1.0,
        rng=np.random.default_rng(0),
    )
    assert (theta[:2] > 0.5).all()
    assert theta[2] < -0.2


def test_nothing_to_learn_from() -> None:
    """No features; no events; nobody with two."""
    none = ItemFeatures.of((), np.empty((4, 0)))
    assert worths(0, none).shape == (0,)
    for indptr in (np.zeros(2, np.int64), np.arange(10)):
        theta = fit_feature_worths(
            KNOWN, indptr, ITEM[: indptr[-1]], W[: indptr[-1]], BASE,
            temperature=1.0, tau=5.0, beta=1.0, rng=np.random.default_rng(0),
        )  # fmt: skip
        assert theta.tolist() == [0.0, 0.0, 0.0]
