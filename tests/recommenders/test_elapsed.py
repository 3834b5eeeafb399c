"""`recency_days`: heads that forget by time, and everything that holds of a model still holds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xattn
from tests.models import assert_adds_up, assert_removals_hold
from tests.recommenders.test_forget import gap
from tests.recommenders.test_half_life import NEW, data
from xattn import CollaborativeAttention, History, HybridAttention, InputError, Interactions, load_model
from xattn.data import JoinedHistories
from xattn.model.fit.freshness import DAY
from xattn.recommenders.attention import Whole

SETTINGS = ({"recency_days": (0.5,)}, {"recency_days": (0.2, 3.0), "days_floor": 0.1, "pause_days": 2.0})


def made(which: int = 1, **settings: Any) -> HybridAttention:
    plain = {"min_events": 2, "regularization": 1.0, "dtype": "float64", "dislike": 1.0}
    return HybridAttention(**{**plain, **SETTINGS[which], **settings})


@cache
def model(which: int = 1) -> HybridAttention:
    return made(which).fit(data())


def asked(user: int) -> History:
    return History.of(data(), user).paused(1.5).without([1])


def test_heads_are_named_by_their_days() -> None:
    heads = [name for name in model().head_names if name.startswith("recency")]
    assert heads == ["recency 3", "recency 20", "recency 0.2 days", "recency 3 days"]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("target", [*NEW, 0, 8])
def test_ledgers_add_up_and_removals_hold(which: int, target: int) -> None:
    """Newcomers inherit the heads by time too."""
    for user in (2, 40):
        served = float(model(which).scores_of(asked(user))[target])
        assert_adds_up(model(which).explain(item=data().items.ids[target], history=asked(user)), served, False)
        assert_removals_hold(model(which), asked(user), target, False)


def test_many_histories_have_the_scores_of_each_whether_their_moments_are_known_or_not() -> None:
    """The known ones have days, the typed ones take the pace of the data; one call scores all of them."""
    known = [asked(user) for user in (3, 4, 5)]
    typed = [History.given(data(), data().items.ids[:3]), History.given(data(), data().items.ids[4:6])]
    both = [known[0], typed[0], known[1], typed[1], known[2]]
    np.testing.assert_array_equal(model().scores_of_many(both), [model().scores_of(one) for one in both])
    rows = [3, 4, 5]
    joined = JoinedHistories.of_users(data(), rows)
    alone = [History.of(data(), row) for row in rows]
    np.testing.assert_array_equal(model().scores_of_many(joined), [model().scores_of(one) for one in alone])
    for one, other in zip(joined[1:], alone[1:], strict=True):
        assert one.elapsed is not None
        np.testing.assert_array_equal(one.elapsed, other.elapsed)


def baskets(gap: float = 2.0) -> Interactions:
    """The same people, who take three things at a time."""
    n = np.diff(data().indptr)
    time = np.concatenate([(np.arange(m) // 3) * gap * DAY for m in n])
    return Interactions("baskets", data().user_ids, data().items, data().indptr, data().item, data().rating, time)


def test_where_people_fill_baskets_the_fit_adds_a_head_of_a_day(tmp_path: Path) -> None:
    """And keeps it in a file, in growth and in forgetting; where they do not, there is none."""
    plain = {"min_events": 2, "regularization": 1.0, "dtype": "float64", "dislike": 1.0}
    assert made(recency_days="auto", pause_days=None).fit(data()).days_ == ()
    assert made(recency_days="auto", pause_days=None).fit(baskets(0.0)).days_ == ()  # all at one moment
    found = HybridAttention(**plain).fit(baskets())
    assert found.days_ == (1.0,)
    assert "recency 1 day" in found.head_names
    found.save(tmp_path / "m.npz")
    again = load_model(tmp_path / "m.npz")
    assert again.days_ == (1.0,)
    np.testing.assert_array_equal(again.scores_of(asked(3)), found.scores_of(asked(3)))
    other = HybridAttention(**{**plain, "recency_days": (1.0,)}).fit(baskets())
    np.testing.assert_array_equal(other.scores_of(asked(3)), found.scores_of(asked(3)))
    half = baskets().select(baskets().user < 60)
    grown = HybridAttention(**plain).fit(half).partial_fit(baskets().select(baskets().user >= 60))
    assert grown.days_ == (1.0,)
    assert gap(grown, HybridAttention(**plain).fit(grown.data_)) < 1e-9
    bare = Interactions("bare", data().user_ids, data().items, data().indptr, data().item, data().rating)
    assert HybridAttention(**plain).fit(half).partial_fit(bare.select(bare.user >= 60)).days_ == ()
    assert found.forget(["u3"]).days_ == (1.0,)


def test_a_pause_makes_the_heads_by_time_say_less() -> None:
    history = History.of(data(), 7)
    by_time = CollaborativeAttention(recency_days=(0.5,), min_events=2, regularization=1.0).fit(data())
    said = []
    for days in (0.0, 0.5, 5.0):
        cells = by_time.explain(item=data().items.ids[0], history=history.paused(days)).cells
        said.append(cells[cells["head"] == "recency 0.5 days"]["weight"].sum())
        kept = cells[cells["head"] == "recency 3"]["weight"].sum()
    assert said[0] > said[1] > said[2] > 0
    now = by_time.explain(item=data().items.ids[0], history=history).cells
    assert kept == now[now["head"] == "recency 3"]["weight"].sum()


def test_a_moment_of_its_own_does_not_matter_only_what_passed() -> None:
    """All moments of a set later by a year: the same model."""
    later = Interactions(
        "later", data().user_ids, data().items, data().indptr, data().item, data().rating, data().time + 365 * DAY
    )
    found = made().fit(later)
    for user in (0, 9):
        np.testing.assert_allclose(
            found.scores_of(History.of(later, user)), model().scores_of(History.of(data(), user)), rtol=1e-7, atol=1e-12
        )


def test_a_file_answers_as_the_model_does(tmp_path: Path) -> None:
    model().save(tmp_path / "m.npz")
    again = load_model(tmp_path / "m.npz")
    assert again.recency_days == (0.2, 3.0)
    for history in (asked(0), History.given(data(), data().items.ids[:3])):
        np.testing.assert_array_equal(again.scores_of(history), model().scores_of(history))


def test_growing_and_forgetting_end_where_a_fit_would() -> None:
    first = data().select(data().time < 15 * DAY)
    grown = made().fit(first).partial_fit(data().select(data().time >= 15 * DAY))
    assert gap(grown, made().fit(grown.data_)) < 1e-9
    less = made().fit(data()).forget(data().user_ids[4:6])
    assert gap(less, made().fit(less.data_)) < 1e-9


def test_without_times_it_is_refused() -> None:
    bare = Interactions("bare", data().user_ids, data().items, data().indptr, data().item, data().rating)
    for settings in ({"recency_days": (1.0,)}, {"recency_days": None, "pause_days": 2.0}):
        with pytest.raises(InputError, match="must stay away where the data hold no times"):
            made(**settings).fit(bare)
    for bad in ((), (0.0,), 3.0):
        with pytest.raises(InputError, match="recency_days"):
            made(recency_days=bad).fit(data())


def test_a_fit_of_a_whole_from_its_sums_is_a_fit() -> None:
    behaviour = made()._behaviour
    warm = behaviour.warm(data().counts())
    from xattn.model.strength import RatingScale

    sums = behaviour.part_sums(data(), RatingScale.of(data().scale), warm)
    found = made().fit_whole(Whole(data(), data().counts().astype(float), sums))
    assert gap(found, model()) < 1e-9


def test_an_explanation_is_repeated_by_its_code() -> None:
    """The moments are part of it."""
    ledger = model().explain(item=data().items.ids[0], history=asked(3))
    built = xattn.explain.tell.snippet.snippet(ledger, None)
    assert "elapsed=np.array(" in built


def test_the_protocol_asks_when_the_event_came() -> None:
    """Histories of the next item are as old as they were then; the last event but one is the newest in them."""
    from xattn.evaluate.questions import last_events

    found = last_events(data())
    for history in found.histories[:20]:
        assert history.elapsed is not None
        assert history.user is not None
        own = data().time[data().events_of(history.user)] / DAY
        np.testing.assert_allclose(history.elapsed, own[-1] - own[:-1], atol=1e-9)
