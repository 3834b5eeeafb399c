"""`recency_days`: heads that forget by time, and everything that holds of a model still holds."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import naive
from tests.models import assert_adds_up, assert_removals_hold
from tests.recommenders.test_forget import gap
from tests.recommenders.test_half_life import NEW, data
from xattn import CollaborativeAttention, History, HybridAttention, InputError, Interactions, load_model
from xattn.data import JoinedHistories
from xattn.explain.cache import cache_of
from xattn.explain.question import rank_of
from xattn.explain.tell.snippet import Origin
from xattn.model.fit.freshness import DAY
from xattn.model.fit.pooling import in_baskets
from xattn.recommenders.attention import Whole
from xattn.testing.data import data_of

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


def test_heads_that_are_inherited_forget_as_those_they_come_from() -> None:
    fields = {f.name: f for f in model().fields_of(asked(2), np.array([NEW[0], 8])) or []}
    for memory, unit in zip(model()._behaviour.memories, ("3", "20", "0.2 days", "3 days"), strict=True):
        want = naive.exponentials(memory, asked(2))
        for word in ("recency", "inherited"):
            np.testing.assert_allclose(fields[f"{word} {unit}"].E[0], want, rtol=1e-14)


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


BY_SECONDS = {"recency_days": (1e-5, 1e-4), "days_floor": 0.1, "pause_days": 1e-4}


@pytest.mark.parametrize("shape", ["clean", "messy"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: HybridAttention(**BY_SECONDS),
        lambda: HybridAttention(**BY_SECONDS, n_neighbors=6, threshold=0.02, dtype="float64"),
        lambda: CollaborativeAttention(**BY_SECONDS, recency=(4.0,), beta=1.0),
    ],
    ids=["hybrid", "sparse, threshold", "one head"],
)
def test_ranks_and_smallest_sets_are_those_that_are_served(shape: str, make: Callable[[], Any]) -> None:
    """With repeats, ties in time, event types and people of one event; asked at once and after a pause."""
    found = make().fit(data_of(shape))
    whole = found.data_
    for user in np.linspace(0, whole.n_users - 1, 6).round().astype(int).tolist():
        for history in (History.of(whole, user), History.of(whole, user).paused(2e-4)):
            allowed = np.ones(whole.n_items, bool)
            allowed[history.item] = False
            targets = np.flatnonzero(allowed)[:8]
            if not len(targets):
                continue
            kept = cache_of(found, history)
            announced = kept.scores_without_each(targets)
            for position in range(len(history)):
                served = found.scores_of(history.without(history.alike([position])))
                np.testing.assert_allclose(announced[:, position], served[targets], rtol=1e-5, atol=1e-5)
                for target, own in zip(targets.tolist(), announced, strict=True):
                    ranks = kept.ranks_without_each(target, own, allowed)
                    assert ranks[position] == rank_of(served, target, allowed)
            first = found.recommend(history=history, k=3)
            ledger = found.explain(item=first["item"][0], history=history, k=3)
            moved = ledger.counterfactual()
            if moved is not None and moved.positions:
                served = found.scores_of(history.without(list(moved.positions)))
                assert (rank_of(served, whole.items.row(first["item"][0]), allowed) or 10**9) > 3


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


def mixed(fill: int) -> Interactions:
    """The first `fill` people take three things at a time, the others one every other day."""
    n = np.diff(data().indptr)
    time = np.concatenate([np.arange(m) // (3 if user < fill else 1) * 2 * DAY for user, m in enumerate(n)])
    return Interactions("mixed", data().user_ids, data().items, data().indptr, data().item, data().rating, time)


def test_events_that_come_late_end_where_a_fit_would() -> None:
    """Older events after newer ones, and whoever is forgotten when that turns what most people do."""
    plain = {"min_events": 2, "regularization": 1.0, "dtype": "float64", "dislike": 1.0}
    whole = baskets()
    assert whole.time is not None
    late = whole.time >= np.median(whole.time)
    grown = HybridAttention(**plain).fit(whole.select(late)).partial_fit(whole.select(~late))
    assert grown.days_ == (1.0,)
    assert gap(grown, HybridAttention(**plain).fit(grown.data_)) < 1e-9
    least = next(k for k in range(whole.n_users) if in_baskets(mixed(k).indptr, mixed(k).time))
    for fill, gone, days in ((least, ["u0", "u1"], ()), (least - 1, list(whole.user_ids[-4:]), (1.0,))):
        first = mixed(fill).select(mixed(fill).user < 60)
        found = HybridAttention(**plain).fit(first).partial_fit(mixed(fill).select(mixed(fill).user >= 60))
        for start in (found, HybridAttention(**plain).fit(mixed(fill))):
            rest = start.forget(gone)
            assert rest.days_ == days
            assert gap(rest, HybridAttention(**plain).fit(rest.data_)) < 1e-9


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


def test_an_explanation_is_repeated_by_its_code(tmp_path: Path) -> None:
    """The moments are part of it: what the code makes of the saved model has the same score."""
    ledger = model().explain(item=data().items.ids[0], history=asked(3))
    model().save(tmp_path / "m.npz")
    code = ledger.snippet(Origin(model=str(tmp_path / "m.npz")))
    assert "elapsed=np.array(" in code
    out = io.StringIO()
    with redirect_stdout(out):
        exec(code, {})
    again = json.loads(out.getvalue())
    assert again["score"] == ledger.score
    assert again["rank"] == ledger.rank


def test_wrong_moments_are_refused_in_one_sentence() -> None:
    history = History.of(data(), 3)
    n = len(history)
    for bad, match in (
        (np.full(n, np.nan), "`elapsed` must"),
        (np.full(n, np.inf), "`elapsed` must"),
        (np.zeros(n + 1), "same length"),
        (np.full(n, -1.0), "`elapsed` must"),
        (["x"] * n, "`elapsed` must"),
    ):
        with pytest.raises(InputError, match=match) as caught:
            replace(history, elapsed=bad)
        assert "\n" not in str(caught.value)
    for days in (-1.0, np.nan, np.inf, "x", None, True):
        with pytest.raises(InputError, match="`days` must"):
            history.paused(days)  # type: ignore[arg-type]
    for settings in ({"recency_days": "week"}, {"recency_days": (np.nan,)}, {"recency_days": (np.inf,)}):
        with pytest.raises(InputError, match="recency_days"):
            made(**settings).fit(data())
    for settings in ({"days_floor": 1.0}, {"days_floor": -0.1}, {"pause_days": 0.0}, {"pause_days": np.inf}):
        with pytest.raises(InputError, match="days"):
            made(**settings).fit(data())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("scale", "settings"),
    [
        (1.0, {"recency_days": (1e-310,)}),
        (1.0, {"recency_days": (1e300,), "pause_days": 1e-310}),
        (1e290, {"recency_days": (1e-30, 1.0)}),
        (-1e6, {"recency_days": (1.0,), "beta": 1.0}),
    ],
)
def test_scales_and_pauses_beyond_all_measure_make_no_noise(scale: float, settings: dict[str, Any]) -> None:
    """Nothing is left where more scales have passed than a number can hold; all that holds of a model holds."""
    time = baskets().time
    assert time is not None
    time = time * scale if scale > 0 else time + scale * 1e5 * DAY
    odd = Interactions("odd", data().user_ids, data().items, data().indptr, data().item, data().rating, time)
    found = made(**settings).fit(odd)
    for history in (History.of(odd, 3), History.of(odd, 3).paused(1e6)):
        scores = found.scores_of(history)
        assert np.isfinite(scores).all()
        assert_adds_up(found.explain(item=odd.items.ids[0], history=history), float(scores[0]), False)
        assert_removals_hold(found, history, 0, False)


def test_the_protocol_asks_when_the_event_came() -> None:
    """Histories of the next item are as old as they were then; the last event but one is the newest in them."""
    from xattn.evaluate.questions import last_events

    found = last_events(data())
    for history in found.histories[:20]:
        assert history.elapsed is not None
        assert history.user is not None
        own = data().time[data().events_of(history.user)] / DAY
        np.testing.assert_allclose(history.elapsed, own[-1] - own[:-1], atol=1e-9)
