"""Every suite at its small size: rows that are well formed, results that agree, rivals that are left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from xattn.bench import SUITES, bench, rivals
from xattn.bench.case import Case, Plan, WrongAnswer
from xattn.bench.made_up import made_up
from xattn.bench.roofline import Ceilings, Needs, ceilings
from xattn.bench.suites import recommend, roofline, score, search, softmax, topk, train
from xattn.bench.suites.scale import exponent
from xattn.data import Interactions
from xattn.kernels.gram import NEGLIGIBLE
from xattn.recommenders import CollaborativeAttention

QUICK = Plan(1, True, lambda what: None)
LIMITS = {"limit", "sgemm", "one thread", "ceiling"}  # what stands for a rival and is none

OWN = {  # what each suite must hold a row against
    "softmax": {"scipy", "numpy"},
    "attention": {"numpy", "scikit-learn", "scipy"},
    "score": {"numpy"},
    "topk": {"numpy"},
    "search": {"numpy"},
    "recommend": {"numpy, scipy"},
    "train": {"limit", "numpy", "sgemm"},
    "serve": {"limit"},
    "scale": {"growth n^1.1"},
    "cold-start": {"limit"},
    "threads": {"one thread"},
    "roofline": {"ceiling"},
}


@pytest.mark.parametrize("name", SUITES)
def test_rows_are_well_formed(name: str) -> None:
    rows = bench([name], rounds=1, quick=True)["rows"]
    assert {row["rival"] for row in rows} >= OWN[name]
    assert len({(row["work"], row["rival"]) for row in rows}) == len(rows)
    for row in rows:
        assert row["suite"] == name
        assert row["work"]
        assert row["ours_ms"] > 0
        if row["rival"] is None:
            assert [row[key] for key in ("rival_ms", "ratio", "spread", "bar")] == [None] * 4
            continue
        assert row["ratio"] == pytest.approx(row["rival_ms"] / row["ours_ms"])
        assert math.isfinite(row["spread"])
        assert row["bar"] is None or row["bar"] > 0


def test_bars_are_those_that_were_set() -> None:
    def bars(suite: Any) -> list[dict[str, float]]:
        return [dict(case.bars) for case in suite(QUICK) if isinstance(case, Case)]

    assert bars(softmax.suite) == [{"torch": 1.0, "scipy": 6.0}] * 2
    assert bars(score.suite) == [{"torch sdpa": 3.0, "numpy": 4.0}]
    assert bars(topk.suite) == [{"numpy": 1.5, "torch": 1.5}]
    assert softmax.SIZES == ((10_000, 128), (2_000, 2_000), (100_000, 50))
    assert score.SIZES == ((10_000, 100), (100_000, 200), (1_000_000, 50))
    assert topk.SIZES == (100_000, 1_000_000)


def test_rivals_that_are_not_there_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "find_spec", lambda name: None)
    monkeypatch.setattr(train, "find_spec", lambda name: None)
    rows = bench(["softmax", "attention", "score", "topk", "search", "recommend", "train"], rounds=1, quick=True)[
        "rows"
    ]
    assert {row["suite"] for row in rows} == {"softmax", "attention", "score", "topk", "search", "recommend", "train"}
    assert {row["rival"] for row in rows} - LIMITS == {"numpy", "numpy, scipy", "scipy", "scikit-learn", None}


@pytest.mark.parametrize(
    ("place", "name", "spoil", "suite"),
    [
        (softmax, "weights", lambda made: made[:, ::-1], "softmax"),
        (score, "target_scores", lambda made: made * 1.01, "score"),
        (topk, "top_values", lambda made: np.nextafter(made, np.float32(np.inf)), "topk"),
        (search, "best", lambda made: made + 2e-4, "search"),
        (train, "sums", lambda made: (made[0], made[1] * 1.001), "train"),
        (recommend, "_plain", lambda made: made + 1e-4, "recommend"),
    ],
)
def test_a_slightly_wrong_result_is_seen(
    monkeypatch: pytest.MonkeyPatch, place: Any, name: str, spoil: Any, suite: str
) -> None:
    right = getattr(place, name)
    monkeypatch.setattr(place, name, lambda *args, **options: spoil(right(*args, **options)))
    with pytest.raises(WrongAnswer, match=f"{suite}, "):
        bench([suite], rounds=1, quick=True)


# --- made-up data -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data() -> Interactions:
    return made_up(20_000, users=200, items=300, features=True)


def test_made_up_data_is_what_it_says(data: Interactions) -> None:
    assert (data.n_users, data.n_items) == (200, 300)
    assert 19_000 < data.n_events < 21_000
    assert np.diff(data.indptr).min() >= 5
    assert list(data.items.frame) == ["kinds", "year"]
    assert np.array_equal(data.item, made_up(20_000, users=200, items=300).item)  # features change no event
    counts = np.sort(data.counts())[::-1]
    assert counts[:30].sum() > 0.25 * counts.sum()  # a tenth of the items: a power law, not even shares


def test_what_comes_next_depends_on_what_came(data: Interactions) -> None:
    """A closed form finds events that popularity does not."""
    model = CollaborativeAttention(min_events=1, regularization=5.0).fit(data)
    last = data.indptr[1:] - 1
    better = 0
    for user in range(0, 200, 10):
        events = [data.items.ids[j] for j in data.item[data.indptr[user] : last[user]]]
        score = model.score(history=events)
        better += score[data.item[last[user]]] > model.base_[data.item[last[user]]]
    assert better > 10


# --- growth and ceilings ----------------------------------------------------------------------------------------------


def test_the_exponent_of_known_growth() -> None:
    sizes = [10, 100, 1_000]
    times = np.array([[1e-3 * n**0.7, 5.0 * n**2] for n in sizes])
    assert exponent(sizes, times)[0] == pytest.approx([0.7, 2.0])


def test_growth_over_the_aim_is_not_met(monkeypatch: pytest.MonkeyPatch) -> None:
    from xattn.bench.suites import scale

    def figures(power: float) -> list[Any]:
        monkeypatch.setattr(scale, "race", lambda runs, seconds, rounds: dict(zip(runs, times, strict=True)))
        times = [np.full(3, 1e-6 * n**power) for n in (10, 100, 1_000)]
        return list(scale._growth(QUICK, "grow", "things", (10, 100, 1_000), lambda n: lambda: None))

    for power, met in ((1.0, True), (1.2, False)):
        *points, line = figures(power)
        assert [point.work for point in points] == ["grow, 10 things", "grow, 100 things", "grow, 1,000 things"]
        assert [point.ours for point in points] == pytest.approx([1e-6 * n**power for n in (10, 100, 1_000)])
        row = line.row("scale")
        assert f"exponent {power:.2f}" in row["work"]
        assert (row["ratio"] >= row["bar"]) == met
        assert row["ratio"] == pytest.approx(100 ** (1.1 - power))


def test_no_time_is_under_the_bound_of_each_part() -> None:
    best = Ceilings(bandwidth=10.0, flops=4.0, exps=2.0)
    assert Needs(bytes=100).seconds(best) == 10.0
    assert Needs(bytes=1, flops=8, exps=2).seconds(best) == 3.0
    assert all(rate > 1e6 for rate in ceilings(1, quick=True))


def test_pairs_of_events_are_counted_as_the_kernel_meets_them() -> None:
    data = made_up(400, users=6, items=20)
    x = train.histories(data)
    rho = np.exp(-1.0 / train.TAU)
    adds = 0
    for low, high in zip(x.indptr[:-1], x.indptr[1:], strict=True):
        for i in range(low, high):
            for h in range(2):
                newer = sum(rho[h] ** (j - i) >= NEGLIGIBLE for j in range(i + 1, high))
                adds += newer * (2 - h) + newer  # the gram's newer side, once for each g ≥ h; the targets
                adds += sum(sum(rho[g] ** (i - j) >= NEGLIGIBLE for j in range(low, i)) for g in range(h, 2))
    assert roofline._sums(x).needs.flops == pytest.approx(2 * adds, rel=0.01)
