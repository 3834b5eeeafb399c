"""However the cells are grouped, they add up; shares and counts are what they are called."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models import MODELS, fitted
from xattn import InputError, Ledger
from xattn.explain.frames import GROUPINGS
from xattn.explain.honesty import NOTES, base_share, confidence_of
from xattn.explain.removal import Removals
from xattn.explain.rows import EventRows, effective_number

every_model = pytest.mark.parametrize("name", MODELS)


def some(name: str) -> list[Ledger]:
    model = fitted(name)
    return [model.explain(user=f"u{user}", item=f"i{user % 40}") for user in (3, 17, 58)]


@every_model
@pytest.mark.parametrize("what", GROUPINGS)
def test_each_grouping_adds_up(name: str, what: str) -> None:
    for ledger in some(name):
        frame = ledger.by(what)
        assert frame["contribution"].sum() == pytest.approx(ledger.cells["contribution"].sum(), abs=1e-12)
        assert frame["contribution"].is_monotonic_decreasing
        names = frame.drop(columns=["contribution", "effective"], errors="ignore")
        assert not names.duplicated().any(), "each group once"


@every_model
def test_groups_are_sums_of_the_frame_of_cells(name: str) -> None:
    for ledger in some(name):
        cells = ledger.cells
        for what in ("head", "feature"):
            sums = cells.groupby(what)["contribution"].sum().to_dict()
            for row in ledger.by(what).to_dict("records"):
                assert row["contribution"] == pytest.approx(sums.get(row[what], 0.0), abs=1e-12)


def test_features_belong_to_blocks() -> None:
    frame = next(ledger for ledger in some("hybrid cold") if (ledger.cells["feature"] != "").any()).by("feature")
    assert set(frame["block"]) == {"genres", "behaviour"}
    assert (frame.loc[frame["block"] == "behaviour", "feature"] == "").all()


def test_positives_and_negatives_part_the_events() -> None:
    for ledger in some("collaborative"):
        events, n = ledger.events(), len(ledger.events())
        plus, minus = ledger.positives(n), ledger.negatives(n)
        assert (plus["contribution"] > 0).all()
        assert minus["contribution"].is_monotonic_increasing
        assert sorted([*plus["position"], *minus["position"]]) == sorted(
            events.loc[events["contribution"] != 0, "position"]
        )
        assert ledger.positives(1)["position"].tolist() == plus["position"].tolist()[:1]


@pytest.mark.parametrize(
    ("weight", "expected"),
    [([1, 1, 1, 1], 4.0), ([1, 0, 0], 1.0), ([], 0.0), ([0, 0], 0.0), ([3, 1], 4 / 3**0.75)],
)  # fmt: skip
def test_effective_number_by_hand(weight: list[float], expected: float) -> None:
    assert effective_number(np.array(weight, dtype=float)) == pytest.approx(expected)


@every_model
def test_effective_events_lie_between_one_and_all(name: str) -> None:
    for ledger in some(name):
        n = len(ledger.events())
        assert 0.0 <= ledger.effective_events <= n + 1e-9
        heads = ledger.by("head")
        assert (heads["effective"] <= n + 1e-9).all()


@every_model
def test_the_base_share_is_a_share(name: str) -> None:
    for ledger in some(name):
        moved = ledger.events()["contribution"].abs().sum()
        assert 0.0 <= ledger.base_share <= 1.0
        assert moved > 0 or ledger.base_share == 1.0
        assert ("popularity" in ledger.notes) == (ledger.base_share > 0.5)
        assert set(ledger.notes) <= set(NOTES)


def test_the_base_is_counted_from_the_least_popular_item() -> None:
    amounts = np.array([1.0, -1.0])
    assert base_share(2.0, 0.0, amounts) == 0.5
    assert base_share(-5.0, -7.0, amounts) == 0.5, "log-odds have no zero of their own"
    assert base_share(-7.0, -7.0, amounts) == 0.0


@pytest.mark.parametrize("wrong", ["user", "", None, 3])
def test_an_unknown_grouping_is_refused(wrong: object) -> None:
    with pytest.raises(InputError, match="`what` must be one of"):
        some("hybrid")[0].by(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "3"])
def test_a_wrong_count_is_refused(wrong: object) -> None:
    with pytest.raises(InputError, match="`n` must be"):
        some("hybrid")[0].positives(wrong)  # type: ignore[arg-type]


# --- confidence -------------------------------------------------------------------------------------------------------


def confidence(
    amounts: list[float], without: list[float], ranks: list[int], share: float = 0.1, rank: int | None = 3
) -> tuple[str, str]:
    n = len(amounts)
    rows = EventRows(np.arange(n), np.ones(n) / max(n, 1), np.array(amounts), np.ones(n, bool))
    found = confidence_of(rows, Removals(np.array(without), np.array(ranks)), 1.0, 10, rank, share)
    return found.level, found.reason


SIX = [0.5, 0.2, 0.1, 0.0, -0.1, -0.2]
LESS = [0.4, 0.7, 0.8, 1.0, 1.1, 1.2]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (confidence(SIX, LESS, [40, 5, 3, 3, 2, 2]), ("strong", "")),
        (confidence(SIX, LESS, [10, 5, 3, 3, 2, 2]), ("moderate", "")),
        (confidence(SIX, [0.4, 0.3, 0.8, 1.0, 1.1, 1.2], [40, 50, 3, 3, 2, 2]), ("moderate", "")),
        (confidence(SIX, LESS, [40, 5, 3, 3, 2, 2], rank=None), ("moderate", "")),
        (confidence(SIX, LESS, [40, 5, 3, 3, 2, 2], rank=11), ("moderate", "")),
        (confidence(SIX, LESS, [40, 5, 3, 3, 2, 2], share=0.6), ("weak", "popularity")),
        (confidence(SIX[:4], LESS[:4], [40, 5, 3, 3]), ("weak", "short")),
        (confidence(SIX, [1.1, *LESS[1:]], [40, 5, 3, 3, 2, 2]), ("weak", "idle")),
        (confidence([0.0, -0.1], [1.0, 1.1], [3, 3]), ("weak", "no_reason")),
        (confidence([], [], []), ("weak", "no_reason")),
    ],
)
def test_confidence_by_its_rules(found: tuple[str, str], expected: tuple[str, str]) -> None:
    assert found == expected
