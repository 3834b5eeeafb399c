"""Faithfulness by hand: a scorer whose numbers are plain, and the answers that follow from them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.models import fitted
from xattn import History, HybridAttention, InputError, Interactions, ItemKNN, Popularity
from xattn.data.synthetic import planted
from xattn.evaluate import evaluate
from xattn.evaluate.faithfulness import EXPLAINERS, faithfulness, planted_recall
from xattn.evaluate.faithfulness.case import Case, Met, ordered
from xattn.evaluate.faithfulness.causes import _moved
from xattn.evaluate.faithfulness.explainers import MORE
from xattn.evaluate.faithfulness.heads import head_rows
from xattn.evaluate.faithfulness.masked import (
    ByFields,
    ByMasking,
    ByNeighbours,
    ByRescoring,
    ByThresholds,
    Scored,
    masked_scores,
)
from xattn.evaluate.faithfulness.metrics import (
    Reference,
    column_names,
    infidelity,
    intervals,
    kendall,
    maskings,
    measured,
    metric_names,
    rescored,
    sizes_of,
)
from xattn.evaluate.faithfulness.packages import sources
from xattn.evaluate.faithfulness.protocol import measure, sample_users
from xattn.evaluate.faithfulness.search import is_exact
from xattn.evaluate.faithfulness.table import Measured, row_of
from xattn.model.heads.field import HeadCells

PARTS = np.array([4.0, 1.0, -2.0, 3.0, 0.5])  # of events 0–4, for the target t; base 1.5, so f(x) = 8
N = len(PARTS)


class Additive:
    """Item t scores 1.5 + Σ PARTS of the live events; item r, the rival, always scores 5; s, never liked, −1."""

    def __init__(self) -> None:
        events = [("u", f"e{i}") for i in range(N)] + [("v", "t"), ("v", "r"), ("v", "e0"), ("w", "s")]
        self.data_ = Interactions.from_frame(pd.DataFrame(events, columns=["user", "item"]), name="tiny")
        self.base_ = np.zeros(self.data_.n_items)
        for item, score in (("t", 1.5), ("r", 5.0), ("s", -1.0)):
            self.base_[self.data_.item_row(item)] = score
        self.target = self.data_.item_row("t")
        self.part = np.zeros(self.data_.n_items)
        self.part[[self.data_.item_row(f"e{i}") for i in range(N)]] = PARTS

    def scores_of(self, history: History) -> np.ndarray:
        out = self.base_.copy()
        out[self.target] += self.part[history.item[history.live]].sum()
        return out

    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray:
        each = [self.scores_of(history.without([i]))[targets] for i in range(len(history))]
        return np.array(each).T

    def cells_of(self, history: History, target: int) -> list[HeadCells]:
        value = np.where(target == self.target, self.part[history.item], 0.0)[:, None]
        return [HeadCells("one", ("",), history.live.astype(float), np.ones(len(history)), value, 1.0)]


@pytest.fixture(scope="module")
def tiny() -> Additive:
    return Additive()


def case_of(model: Scored, history: History, target: int, seed: int = 0) -> Case:
    rng = np.random.default_rng(seed)
    return Case(model, history, target, masked_scores(model, history), Met.of(model.data_), rng, {})


@pytest.fixture
def case(tiny: Additive) -> Case:
    return case_of(tiny, History.of(tiny.data_, 0), tiny.target)


# --- metrics ----------------------------------------------------------------------------------------------------------


def test_every_metric_by_hand(tiny: Additive, case: Case) -> None:
    """Order of the parts: 0, 3, 1, 4, 2. List: t against r (5) and s (−1); e-items are seen."""
    found = ordered(PARTS, N, offset=1.5)
    assert found.strongest[:3] == ((0,), (0, 3), (0, 3, 1))
    assert found.weakest[:3] == ((2,), (2, 4), (2, 4, 1))
    sizes = sizes_of(3)
    assert sizes == (1, 2, 3, 7, 10, 15, 20)
    allowed = np.ones(tiny.data_.n_items, bool)
    allowed[case.history.item] = False
    (again,) = rescored(case.masked, [maskings(found, N, sizes)], [case.target], allowed)
    np.testing.assert_allclose(again.score[:, :3], [[4.0, 1.0, 0.0], [10.0, 9.5, 8.5], [5.5, 8.5, 9.5]])
    np.testing.assert_allclose(again.score[:, 3:].T, [[1.5, 1.5, 8.0]] * 4)  # more than there are: all of them
    assert again.rank[:, :3].tolist() == [[2, 2, 2], [1, 1, 1], [1, 1, 1]]
    lowest = np.array([4.0, 1.0, -9.0, *[np.nan] * 4])
    masks = np.eye(N, dtype=bool)
    values = measured(found, again, Reference(8.0, PARTS, -PARTS, lowest, masks, PARTS), k=1, moved=0.25)
    row = dict(zip(column_names(1, 3), values.tolist(), strict=True))
    assert (row["infidelity"], row["sensitivity"]) == (pytest.approx(0.0, abs=1e-12), 0.25)
    assert math.isnan(row["best@7"])
    table = row_of("one", "tiny", Measured(1, 3, {"one": np.array([values])}, 1, 0), seed=0)
    assert table["comp"] == pytest.approx(1 - (0.5 + 0.125 + 0.0) / 3)
    assert table["suff"] == pytest.approx(1 - (5.5 + 8.5 + 9.5) / 24)
    assert (table["pn@1,1"], table["ps@1,1"], table["f@1,1"]) == (1.0, 1.0, 1.0)
    assert table["curves"]["K"] == list(sizes)
    assert table["curves"]["del"] == [row[f"del@{K}"] for K in sizes]
    assert [row[f"del@{K}"] for K in (1, 2, 3)] == [0.5, 0.125, 0.0]
    assert [row[f"ins@{K}"] for K in (1, 2, 3)] == [5.5 / 8, 8.5 / 8, 9.5 / 8]
    assert [row[f"pos@1,{K}"] for K in (1, 2, 3)] == [0, 0, 0]
    assert [row[f"neg@1,{K}"] for K in (1, 2, 3)] == [1, 1, 1]
    assert [row[f"ps@1,{K}"] for K in (1, 2, 3)] == [1, 1, 1]
    assert row["cdcg@1"] == 1 / math.log2(3)
    assert [row[f"best@{K}"] for K in (1, 2, 3)] == [1, 1, 0]
    assert (row["tau"], row["tau_terms"], row["gap"]) == (pytest.approx(1.0), pytest.approx(-1.0), 0.0)


def test_what_has_no_meaning_is_nan(case: Case) -> None:
    strong = ordered(PARTS, 2)
    again = rescored(case.masked, [maskings(strong, N, (1, 2, 7))], [case.target], np.ones(8, bool))[0]
    assert np.isnan(again.score).tolist() == [[False, False, True]] * 3, "seven were not named"
    truth = Reference(8.0, PARTS, PARTS, None, np.eye(N, dtype=bool), PARTS)
    one = type(again)(np.ones((3, 5)), np.ones((3, 5)))
    row = dict(zip(column_names(1, 1), measured(strong, one, truth, 1), strict=True))
    assert math.isnan(row["gap"])
    assert math.isnan(row["best@1"])
    row = dict(zip(column_names(1, 1), measured(EXPLAINERS["exhaustive"](case, 1), one, truth, 1), strict=True))
    assert math.isnan(row["tau"])
    assert math.isnan(row["infidelity"])


def test_f_is_of_the_means_and_a_pair_is_narrower(tiny: Additive) -> None:
    """Two users: one where the reasons are necessary, one where they are enough. F of the means is ½, not 0."""
    names = column_names(1, 1)
    values = np.zeros((2, len(names)))
    values[:, names.index("pos@1,1")] = [0.0, 1.0]
    values[:, names.index("ps@1,1")] = [0.0, 1.0]
    values[:, names.index("del@1")] = [0.1, 0.9]
    other = values.copy()
    other[:, names.index("del@1")] += 0.05
    found = Measured(1, 1, {"removal": values, "other": other}, 2, 0)
    row = row_of("other", "tiny", found, seed=0)
    assert (row["pn@1,1"], row["ps@1,1"], row["f@1,1"]) == (0.5, 0.5, 0.5)
    assert row["ci95"]["del@1"] == pytest.approx([0.15, 0.95])
    assert row["paired"]["del@1"] == pytest.approx([0.05, 0.05]), "both differ alike, so the pair is sure"
    assert row_of("removal", "tiny", found, seed=0)["paired"] is None


@settings(max_examples=40, deadline=None)
@given(arrays(float, 4, elements=st.floats(-5, 5)), st.floats(0.1, 9), st.integers(0, 99))
def test_infidelity_forgives_scale_and_nothing_else(strength: np.ndarray, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = rng.random((30, 4)) < 0.5
    taken = masks @ rng.normal(size=4) + rng.normal(size=30) * 0.1
    found = infidelity(strength, masks, taken)
    assert -1e-9 <= found <= 1.0
    assert infidelity(strength * scale, masks, taken) == pytest.approx(found, abs=1e-6)
    plain = masks @ strength
    if (plain**2).sum() > 1e-6:
        factor = (plain @ taken) / (plain @ plain)
        assert found == pytest.approx(((factor * plain - taken) ** 2).sum() / (taken**2).sum(), abs=1e-6)


def test_kendall_counts_pairs() -> None:
    assert kendall(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 4.0, 3.0])) == pytest.approx(4 / 6)
    assert kendall(np.arange(4.0), -np.arange(4.0)) == pytest.approx(-1)
    assert kendall(np.ones(4), np.arange(4.0)) == 0.0
    assert kendall(np.ones(1), np.ones(1)) == 0.0


def test_intervals_hold_the_mean_and_narrow() -> None:
    rng = np.random.default_rng(0)
    few, many = rng.normal(size=(20, 2)), rng.normal(size=(2000, 2))
    width = []
    for values in (few, many):
        low, high = intervals(values, seed=0)
        assert ((low < values.mean(axis=0)) & (values.mean(axis=0) < high)).all()
        width.append((high - low).max())
    assert width[1] == pytest.approx(2 * 1.96 / math.sqrt(2000), rel=0.1)
    assert width[0] > 5 * width[1]
    assert np.array_equal(intervals(few, 1)[0], intervals(few, 1)[0])
    assert not np.array_equal(intervals(few, 1)[0], intervals(few, 2)[0])


# --- explainers -------------------------------------------------------------------------------------------------------


SURE = ["contribution", "removal", "kernel_shap", "lime", "exhaustive", "balanced", "lime_own", "kernel_shap_own"]


@pytest.mark.parametrize("name", SURE)
def test_who_asks_the_model_finds_the_parts_of_an_additive_score(case: Case, name: str) -> None:
    found = (EXPLAINERS | MORE)[name](case, 4)
    assert [set(s) for s in found.strongest] == [{0}, {0, 3}, {0, 1, 3}, {0, 1, 3, 4}]
    assert [set(s) for s in found.weakest] == [{2}, {2, 4}, {1, 2, 4}, {1, 2, 3, 4}]
    if found.strength is not None:
        tolerance = 0.1 if name.startswith("lime") else 1e-9  # the ridge of lime pulls its slopes towards 0
        np.testing.assert_allclose(found.strength, PARTS, rtol=0, atol=tolerance)
    if name not in ("removal", "exhaustive", "balanced"):
        assert found.offset is not None
        assert found.offset == pytest.approx(1.5, abs=0.1)


def test_cosine_and_jaccard_count_shared_users(tiny: Additive, case: Case) -> None:
    """t was met by v, e0 by u and v, the others by u alone."""
    np.testing.assert_allclose(EXPLAINERS["cosine"](case, 1).strength, [1 / math.sqrt(2), 0, 0, 0, 0])
    np.testing.assert_allclose(EXPLAINERS["jaccard"](case, 1).strength, [1 / 2, 0, 0, 0, 0])


def test_attention_is_the_weight_alone(case: Case) -> None:
    found = EXPLAINERS["attention"](case, 2)
    np.testing.assert_array_equal(found.strength, np.ones(N))
    assert found.strongest == ((4,), (4, 3)), "of equal ones the newer comes first"


@pytest.mark.parametrize("name", EXPLAINERS | MORE)
def test_sets_have_their_sizes_and_seeds_repeat(name: str) -> None:
    model = fitted("hybrid")
    history = model.history("u3")
    for most in (1, 5, len(history)):
        one, again = ((EXPLAINERS | MORE)[name](case_of(model, history, 7), most) for _ in range(2))
        for sets in (one.strongest, one.weakest):
            assert [len(set(s)) for s in sets] == list(range(1, most + 1))
        assert (one.strongest, one.weakest) == (again.strongest, again.weakest)


@pytest.mark.parametrize("name", ["random", "lime", "kernel_shap_own"])  # shap tries all sets of nine events
def test_another_seed_draws_anew(name: str) -> None:
    model = fitted("hybrid")
    one, other = (
        (EXPLAINERS | MORE)[name](case_of(model, model.history("u3"), 7, seed), 5).strength for seed in (1, 2)
    )
    assert one is not None
    assert other is not None
    assert not np.array_equal(one, other)


def test_kernel_shap_is_close_to_shapley_values() -> None:
    """Against the definition: the mean of marginal effects over all subsets, weighted by size."""
    model = fitted("hybrid cold")
    history = model.history(history=[(f"i{i}", 5.0) for i in (1, 5, 9, 14, 22)])
    case, n = case_of(model, history, 13), 5
    values = {s: case.score(np.isin(np.arange(n), s)) for size in range(n + 1) for s in combinations(range(n), size)}
    exact = [
        sum((values[tuple(sorted({*s, i}))] - values[s]) / (n * math.comb(n - 1, len(s))) for s in values if i not in s)
        for i in range(n)
    ]
    for name in ("kernel_shap", "kernel_shap_own"):
        found = (EXPLAINERS | MORE)[name](case, 1).strength
        np.testing.assert_allclose(found, exact, atol=0.02 * np.abs(exact).max())


def test_where_a_package_is_missing_our_own_version_stands_in(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xattn.evaluate.faithfulness.packages.find_spec", lambda name: None)
    assert sources() == {"lime": "own", "kernel_shap": "own"}
    for name in ("lime", "kernel_shap"):
        model, history = case.model, case.history
        one = EXPLAINERS[name](case_of(model, history, case.target), 3)
        other = MORE[f"{name}_own"](case_of(model, history, case.target), 3)
        np.testing.assert_array_equal(one.strength, other.strength)


def test_the_packages_are_asked_where_they_are_there(case: Case) -> None:
    lime, shap = pytest.importorskip("lime"), pytest.importorskip("shap")
    assert sources()["kernel_shap"] == f"shap {shap.__version__}"
    assert sources()["lime"].startswith(lime.__name__ + " ")
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    EXPLAINERS["kernel_shap"](case, 1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_balanced_sets_hold_up_alone_better_than_removal_and_are_missed_nearly_as_much() -> None:
    model = fitted("hybrid")
    gains = []
    for user in ("u1", "u3", "u5", "u8", "u13"):
        history = model.history(user)
        case = case_of(model, history, 17)
        both = [EXPLAINERS["removal"](case, 3).strongest[2], MORE["balanced"](case, 3).strongest[2]]
        inside = [np.isin(np.arange(len(history)), one) for one in both]
        value = [0.25 * case.score(x) - case.score(~x) for x in inside]
        gains.append(value[1] - value[0])
        assert case.score(~inside[0]) <= case.score(~inside[1]) + 1e-12
    assert min(gains) >= -1e-12


def every_set(n: int, K: int) -> Iterator[np.ndarray]:
    for chosen in combinations(range(n), K):
        yield ~np.isin(np.arange(n), chosen)


@pytest.mark.parametrize("name", ["hybrid", "users", "item knn", "content sharp"])
def test_exhaustive_is_below_every_set(name: str) -> None:
    model = fitted(name)
    history = model.history("u8")
    case, n = case_of(model, history, 11), len(history)
    found = EXPLAINERS["exhaustive"](case, 4)
    for K in range(1, 5):
        assert is_exact(n, K)
        scores = case.masked.of(np.array(list(every_set(n, K))), 11)
        for sets, extreme in ((found.strongest, scores.min()), (found.weakest, scores.max())):
            kept = ~np.isin(np.arange(n), sets[K - 1])
            assert case.score(kept) == pytest.approx(extreme, rel=1e-9)


def test_the_beam_is_no_worse_than_iterated_removal() -> None:
    model = fitted("hybrid")
    items = [(f"i{i}", float(1 + i % 5)) for i in np.random.default_rng(0).integers(0, 40, 60)]
    history = model.history(history=items)
    case = case_of(model, history, 17)
    assert not is_exact(60, 5)
    best, rival = (EXPLAINERS[name](case, 5) for name in ("exhaustive", "removal"))
    for ours, theirs in zip(best.strongest, rival.strongest, strict=True):
        scores = [case.score(~np.isin(np.arange(60), one)) for one in (ours, theirs)]
        assert scores[0] <= scores[1] + 1e-12


# --- many maskings at once --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("hybrid", ByFields),
        ("hybrid cold", ByFields),
        ("content", ByFields),
        ("item knn", ByFields),
        ("users", ByNeighbours),
        ("users threshold", ByNeighbours),
        ("content sharp", ByThresholds),
        ("collaborative one head", ByThresholds),
        ("neural", ByFields),
        ("neural next", ByThresholds),
        ("popularity", ByFields),
        ("ease", ByFields),
        ("recency ease", ByFields),
        ("sequence", ByMasking),
        ("sequence target", ByMasking),
    ],
)
def test_the_quick_ways_are_what_the_model_serves(name: str, way: type) -> None:
    model = fitted(name)
    history = model.history("u5")
    n = len(history)
    quick, served = masked_scores(model, history), ByRescoring(model, history)
    assert type(quick) is way
    live = np.random.default_rng(1).random((12, n)) < 0.6
    live[0], live[1] = True, False
    tolerance = {"rtol": 1e-6, "atol": 1e-8}  # value tables in float32
    np.testing.assert_allclose(quick.all(live), served.all(live), **tolerance)
    for target in (0, 19):
        np.testing.assert_allclose(quick.of(live, target), served.of(live, target), **tolerance)
        more = quick.with_each(live, target)
        each = np.where(live, quick.each(live, target), 0.0)
        for b, row in enumerate(live):
            for i in np.flatnonzero(row):
                fewer = row & (np.arange(n) != i)
                np.testing.assert_allclose(each[b, i], served.of(fewer[None, :], target)[0], **tolerance)
            if b < 4:
                wider = row | np.eye(n, dtype=bool)
                np.testing.assert_allclose(more[b], served.of(wider, target), **tolerance)


# --- the protocol -----------------------------------------------------------------------------------------------------


def small(**changes: object) -> dict:
    data = planted("genre", n_users=60, seed=2).data
    return faithfulness(data, [ItemKNN(n_neighbors=8)], **({"sample": 8, "top": 2} | changes))  # type: ignore[arg-type]


def test_the_shape_of_a_result() -> None:
    result = small()
    assert list(result) == [
        "protocol", "dataset", "users", "items", "events", "model", "sampled", "explained", "skipped", "k", "sources",
        "rows", "heads",
    ]  # fmt: skip
    assert (result["protocol"], result["model"], result["sampled"], result["k"]) == ("faithfulness", "ItemKNN", 8, 10)
    assert result["explained"] + result["skipped"] == 16
    assert [row["explainer"] for row in result["rows"]] == list(EXPLAINERS)
    for row in result["rows"]:
        assert list(row) == ["explainer", "model", *metric_names(10, 5), "ci95", "paired", "curves"]
        for metric, (low, high) in row["ci95"].items():
            assert low - 1e-12 <= row[metric] <= high + 1e-12
        missing = {name for name in metric_names(10, 5) if row[name] is None}
        assert missing == set(metric_names(10, 5)) - set(row["ci95"])
        assert missing <= {"tau", "tau_terms", "gap", "infidelity", "sensitivity"}
        whole = row["explainer"] != "exhaustive"
        assert (row["curves"]["del"][-1] is not None) is whole, "exhaustive search stops at five"
        assert row["curves"]["del"][:5] == pytest.approx([row[f"del@{K}"] for K in range(1, 6)])
        for metric, (low, high) in (row["paired"] or {}).items():
            difference = row[metric] - result["rows"][1][metric]
            assert metric.startswith("f@") or low - 1e-12 <= difference <= high + 1e-12
    by_name = {row["explainer"]: row for row in result["rows"]}
    assert by_name["exhaustive"]["best@5"] == 1.0
    assert by_name["contribution"]["gap"] < 1e-9
    assert by_name["removal"]["tau"] == by_name["contribution"]["tau_terms"] == 1.0
    assert by_name["removal"]["infidelity"] == pytest.approx(0.0, abs=1e-9), "item kNN is additive"
    assert by_name["removal"]["sensitivity"] == pytest.approx(0.0, abs=1e-9)
    assert [(row["head"], row["agrees"], row["why"]) for row in result["heads"]] == [
        ("similar items", True, "additive"), ("all", True, "additive"),
    ]  # fmt: skip
    for K in range(1, 6):
        assert min(row[f"del@{K}"] for row in result["rows"]) == by_name["exhaustive"][f"del@{K}"]
        assert by_name["removal"][f"del@{K}"] <= by_name["random"][f"del@{K}"]


def test_the_seed_repeats_and_matters() -> None:
    one, again, other = (small(seed=seed, explainers=["random", "lime"]) for seed in (1, 1, 2))
    assert one == again
    assert one["rows"] != other["rows"]


def test_an_explainer_is_measured_alike_in_any_company() -> None:
    alone, together = small(explainers=["lime"]), small()
    (row,) = alone["rows"]
    other = next(row for row in together["rows"] if row["explainer"] == "lime")
    apart = ("best", "ci95", "paired")
    assert {k: v for k, v in row.items() if not k.startswith(apart)} == {
        k: v for k, v in other.items() if not k.startswith(apart)
    }


def test_scores_that_are_not_positive_are_left_out_and_counted(tiny: Additive) -> None:
    """User u may get t (8), r (5) and s (−1)."""
    found = measure(tiny, [0], top=3, explainers=["removal"])
    assert (found.explained, found.skipped) == (2, 1)
    row = dict(zip(found.names, found.values["removal"][0], strict=True))
    assert row["sensitivity"] == pytest.approx(0.0), "of the first alone"
    assert row["del@1"] == pytest.approx((0.5 + 1.0) / 2)  # t loses half, r nothing


def test_nothing_to_explain_gives_empty_rows() -> None:
    class Nil(ItemKNN):
        def scores_of(self, history: History) -> np.ndarray:
            return np.zeros(self.data_.n_items)

    data = planted("genre", n_users=20, seed=2).data
    result = faithfulness(data, [Nil()], sample=3, explainers=["random"])
    assert (result["explained"], result["rows"][0]["del@1"], result["rows"][0]["ci95"]) == (0, None, {})


def test_several_models_have_rows_of_their_own() -> None:
    data = planted("genre", n_users=40, seed=2).data
    told: list[float] = []
    result = faithfulness(
        data, [ItemKNN(), Popularity()], sample=4, explainers=["removal", "random"],
        progress=lambda what, share: told.append(share),
    )  # fmt: skip
    assert [(row["model"], row["explainer"]) for row in result["rows"]] == [
        ("ItemKNN", "removal"), ("ItemKNN", "random"), ("Popularity", "removal"), ("Popularity", "random"),
    ]  # fmt: skip
    assert result["model"] == "ItemKNN,Popularity"
    assert result["rows"][2]["del@5"] == 1.0, "popularity does not look at the history"
    assert told == sorted(told)


def test_the_sample_has_histories_of_every_length() -> None:
    frame = pd.DataFrame([(f"u{u}", f"i{i}") for u in range(100) for i in range(u + 1)], columns=["user", "item"])
    data = Interactions.from_frame(frame, name="stairs")
    length = np.diff(data.indptr)
    drawn = sample_users(data, 12, 5, seed=0)
    assert len(set(drawn)) == 12
    assert np.diff(sorted(length[drawn])).max() <= 16
    assert length[drawn].min() >= 5
    assert drawn == sample_users(data, 12, 5, seed=0) != sample_users(data, 12, 5, seed=1)
    assert len(sample_users(data, 1000, 5, seed=0)) == 96


def test_evaluate_knows_the_protocol() -> None:
    data = planted("genre", n_users=20, seed=2).data
    assert evaluate(data, [Popularity()], protocol="faithfulness", k=3)["rows"][0]["pos@3,5"] in (0.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"k": 0}, "`k` must be"),
        ({"sample": 0}, "`sample` must be"),
        ({"top": 0}, "`top` must be"),
        ({"most": 0}, "`most` must be"),
        ({"most": 10}, "a user with at least 10 events; got none"),
        ({"seed": -1}, "`seed` must be"),
        ({"explainers": []}, "`explainers` must hold at least one"),
        ({"explainers": ["nosuch"]}, "`explainers` must be one of contribution"),
    ],
)
def test_wrong_arguments_get_one_sentence(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        small(**changes)


def test_no_model_is_refused() -> None:
    with pytest.raises(InputError, match="`models` must hold at least one model; got none."):
        faithfulness(planted("genre", n_users=20, seed=2).data, [])


def test_heads_agree_where_the_normaliser_is_not_shared() -> None:
    """By definition: what the ledger of the masked history has left of the head; β = 0 leaves other cells alone."""
    model = fitted("hybrid")
    history, target = model.history("u5"), 11
    row = next(r for r in head_rows(model, [(history.user or 0, target)], "m", 0) if r["head"] == "recency 3")
    of = lambda h: next(c for c in model.cells_of(h, target) if c.name == "recency 3").contribution.sum(axis=1)  # noqa: E731
    lost = np.array([of(history).sum() - of(history.without([i])).sum() for i in range(len(history))])
    assert row["tau"] == pytest.approx(kendall(of(history), lost))
    assert (row["why"], row["gained"] > 0.01) == ("shared", True)
    flat = fitted("ease")
    for row in head_rows(flat, [(0, 3), (1, 4)], "m", 0):
        assert (row["tau"], row["why"], row["agrees"]) == (pytest.approx(1.0), "additive", True)


# --- planted causes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "model", "least"),
    [
        ("copurchase", "collaborative", 0.99),
        ("genre", "content", 0.99),
        ("copurchase", "users", 0.99),
        ("dislike", "content", 0.99),
    ],
)
def test_planted_causes_are_found(kind: str, model: str, least: float) -> None:
    from tests.models import MODELS

    names = ["contribution", "removal", "attention", "random"]
    users = 400 if kind == "dislike" else 100  # a worth of features takes more to learn
    rows = planted_recall(MODELS[model](), planted(kind, n_users=users, seed=0), explainers=names)
    row = {row["explainer"]: row for row in rows}
    assert list(row) == names
    for name in ("contribution", "removal"):
        assert row[name]["first"] >= least
        assert row[name]["recall"] >= least
        assert row[name]["used"] >= least
    assert row["random"]["recall"] < 0.75
    low, high = row["random"]["ci95"]["recall"]
    assert low <= row["random"]["recall"] <= high


def test_a_dislike_is_named_by_models_that_are_taught_likes() -> None:
    """A fit of what happened, however it was liked, makes nothing of a dislike, and its explainers do not name it: less
    than half as often as chance would, for −½ is half of what others count. Asked what belongs to somebody, the same
    heads are taught likes, use it, and it is named."""
    asked = {"explainers": ["contribution", "removal", "random"]}
    for noise, least in ((0.0, 0.99), (0.2, 0.9)):
        truth = planted("dislike", n_users=400, seed=0, noise=noise)
        for row in planted_recall(HybridAttention(objective="any", dislike=-0.5), truth, **asked)[:2]:
            assert row["first"] >= least
            assert row["used"] >= 0.99
    truth = planted("dislike", n_users=400, seed=0)
    happened = planted_recall(HybridAttention(min_events=1, regularization=1.0, dislike=-0.5), truth, **asked)
    for row in happened:
        low, high = row["ci95"]["used"]
        assert low < 0.5 < high, "whether the score goes up or down without the dislike is a matter of chance"
        assert row["used"] == happened[0]["used"], "it is the model's"
    assert all(row["first"] < happened[2]["first"] for row in happened[:2])


def test_used_is_counted_by_hand(tiny: Additive) -> None:
    """Without event 0 (part 4) the score falls, without event 2 (part −2) it rises; without both it falls by 2."""
    masked = masked_scores(tiny, History.of(tiny.data_, 0))
    asked = [([0], False), ([0], True), ([2], False), ([2], True), ([0, 2], False), ([0, 2], True)]
    assert [_moved(masked, tiny.target, *question) for question in asked] == [1, 0, 0, 1, 1, 0]


def test_a_distractor_is_attended_and_no_reason() -> None:
    from tests.models import MODELS

    names = ["contribution", "removal", "attention"]
    truth = planted("distractor", n_users=300, seed=0, noise=0.2)
    rows = {row["explainer"]: row for row in planted_recall(MODELS["collaborative"](), truth, explainers=names)}
    assert rows["attention"]["lured"] > 0.9
    for name in ("contribution", "removal"):
        assert rows[name]["lured"] <= 0.01
        assert rows[name]["first"] >= 0.9
    assert planted_recall(ItemKNN(), planted("copurchase", n_users=40), explainers=["random"])[0]["lured"] is None


def test_users_without_a_cause_are_not_asked_about() -> None:
    from tests.models import MODELS

    half = planted("copurchase", n_users=300, seed=0, noise=0.5)
    row = planted_recall(MODELS["collaborative"](), half, explainers=["removal"])[0]
    assert row["first"] > 0.8, "half of the targets are noise, and would be right by chance in one of eight"
    with pytest.raises(InputError, match="a user whose last event has a cause; got none."):
        planted_recall(Popularity(), planted("copurchase", n_users=20, noise=1.0))


def test_planted_recall_refuses_wrong_input() -> None:
    truth = planted("genre", n_users=20, seed=0)
    with pytest.raises(InputError, match="`truth` must be Planted"):
        planted_recall(Popularity(), truth.data)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="`explainers` must hold"):
        planted_recall(Popularity(), truth, explainers=[])
    with pytest.raises(InputError, match="`explainers` must be one of"):
        planted_recall(Popularity(), truth, explainers=["nosuch"])
