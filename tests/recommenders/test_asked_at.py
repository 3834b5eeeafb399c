"""`at`: the moment in which a list is asked, through the library, requests, the command line and HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.live import stage
from tests.live.test_asked import DAY, ITEMS, NOW, Clock, data, model
from tests.live.test_http import call
from xattn import History, HybridAttention, InputError, Interactions
from xattn.live import Live, Plan, open_store
from xattn.requests import ExplainRequest, RecommendRequest
from xattn.requests.ask import Event
from xattn.serve import make_app

THEN = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)  # NOW
USER = data().user_ids[3]


def since(user: str) -> float:
    own = data().events_of(data().user_row(user))
    assert data().time is not None
    return float(NOW - data().time[own][-1]) / DAY


def scores(frame: pd.DataFrame) -> list[tuple[str, float]]:
    return list(zip(frame["item"], frame["score"], strict=True))


@pytest.mark.parametrize(
    "at",
    [
        NOW,
        str(NOW),
        THEN,
        pd.Timestamp(THEN),
        "2023-11-14T22:13:20",
        THEN.astimezone(timezone(timedelta(hours=9))).isoformat(),
    ],
)
def test_a_moment_is_a_moment_however_it_is_said(at: Any) -> None:
    found = model().history(USER, at=at)
    assert found.user == data().user_row(USER)
    assert found.elapsed is not None
    np.testing.assert_array_equal(found.elapsed, model().history(USER, at=NOW).elapsed)
    np.testing.assert_allclose(found.elapsed, model().history(USER).paused(since(USER)).elapsed, rtol=1e-12)
    assert scores(model().recommend(history=found)) != scores(model().recommend(USER))


def test_what_came_after_the_moment_is_just_now_and_ages_stay() -> None:
    own = data().events_of(data().user_row(USER))
    assert data().time is not None
    time = data().time[own]
    found = model().history(USER, at=float(time[2]))
    assert found.elapsed is not None
    np.testing.assert_allclose(found.elapsed, np.maximum(time[2] - time, 0.0) / DAY)
    np.testing.assert_array_equal(found.age, model().history(USER).age)
    assert model().history(USER).elapsed is not found.elapsed  # what is kept of a user is not changed by it
    assert History.of(data(), data().user_row(USER)).elapsed[-1] == 0.0  # type: ignore[index]


def triples() -> list[tuple[str, float, Any]]:
    return [(ITEMS[5], 5.0, NOW - DAY), (ITEMS[0], 4.0, "2023-11-10"), (ITEMS[9], 3.0, THEN - timedelta(days=2))]


def test_histories_bear_moments_as_triples_as_frames_do() -> None:
    frame = pd.DataFrame({"item": [ITEMS[5], ITEMS[0], ITEMS[9]], "rating": [5.0, 4.0, 3.0]})
    frame["time"] = pd.to_datetime(["2023-11-13T22:13:20", "2023-11-10T00:00:00", "2023-11-12T22:13:20"])
    for at in (None, NOW):
        one, other = History.given(data(), triples(), at), History.given(data(), frame, at)
        for name in ("item", "rating", "elapsed"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert [ITEMS[row] for row in one.item] == [ITEMS[0], ITEMS[9], ITEMS[5]]
    some = [*triples()[:2], (ITEMS[9], 3.0, None)]
    found = History.given(data(), some)
    assert found.elapsed is None
    assert [ITEMS[row] for row in found.item] == [ITEMS[9], ITEMS[0], ITEMS[5]]  # one without a moment comes first
    with pytest.raises(InputError, match="not all events have a date"):
        History.given(data(), some, NOW)


@given(st.lists(st.one_of(st.none(), st.floats(-6e10, 2e11)), min_size=1, max_size=6), st.floats(-6e10, 2e11))
def test_whatever_the_moments_no_event_is_younger_than_just_now(when: list[float | None], at: float) -> None:
    events = [(ITEMS[n], 4.0, moment) for n, moment in enumerate(when)]
    found = History.given(data(), events)
    dated = None not in when
    assert (found.elapsed is not None) == dated
    want = sorted(range(len(when)), key=lambda n: (when[n] is not None, when[n] or 0.0))
    assert [ITEMS.index(ITEMS[row]) for row in found.item] == want
    if found.elapsed is not None:
        assert found.elapsed[-1] == 0.0
        assert (np.diff(found.elapsed) <= 0.0).all()
    if dated and 5e8 <= np.median([moment for moment in when if moment is not None]) <= 4.1e9:
        asked = History.given(data(), events, at).elapsed
        assert asked is not None
        assert (asked >= 0.0).all()
        assert (np.diff(asked) <= 0.0).all()
        assert np.isfinite(model().scores_of(History.given(data(), events, at))).all()


def test_what_cannot_be_asked_is_refused_in_one_sentence() -> None:
    plain = stage.data()  # times 0, 1, 2, …
    bare = Interactions("bare", plain.user_ids, plain.items, plain.indptr, plain.item, plain.rating)
    assert plain.time is not None
    thousandths = data().time
    assert thousandths is not None
    large = Interactions("ms", plain.user_ids, plain.items, plain.indptr, plain.item, plain.rating, thousandths * 1e3)
    assert not large.dated
    for without in (plain, bare, large):
        with pytest.raises(InputError, match="not all events have a date"):
            History.of(without, 0, NOW)
    for events in ([ITEMS[0]], [(ITEMS[0], 4.0, 7)], {ITEMS[0]: 4.0}):
        with pytest.raises(InputError, match="not all events have a date"):
            model().history(history=events, at=NOW)
    with pytest.raises(InputError, match="use its `paused`"):
        model().history(history=model().history(USER), at=NOW)
    for wrong in ("soon", "", np.nan, np.inf, 1e13, True, [NOW], pd.NaT, np.datetime64("NaT")):
        with pytest.raises(InputError, match="`at` must") as caught:
            model().history(USER, at=wrong)
        assert "\n" not in str(caught.value)


def test_requests_ask_at_a_moment_and_come_back_from_their_document() -> None:
    asked = RecommendRequest(user=USER, at="2023-11-14T22:13:20Z", k=5)
    assert RecommendRequest.from_dict(json.loads(json.dumps(asked.to_dict()))) == asked
    assert scores(asked.ask(model())) == scores(model().recommend(history=model().history(USER, at=NOW), k=5))
    typed = RecommendRequest(history=tuple(Event(*one[:2], NOW - n * DAY) for n, one in enumerate(triples())), at=NOW)
    want = model().history(history=[(*one[:2], NOW - n * DAY) for n, one in enumerate(triples())], at=NOW)
    assert scores(typed.ask(model())) == scores(model().recommend(history=want))
    ledger = ExplainRequest(user=USER, at=NOW, item=ITEMS[0]).ask(model())
    for removal in ledger.removals().itertuples():
        history = model().history(USER, at=NOW)
        served = model().scores_of(history.without(history.alike([removal.position])))[0]
        assert abs(removal.score_without - served) < 1e-12
    with pytest.raises(InputError, match="they come at the moment in which the list is asked"):
        RecommendRequest(user=USER, further=(Event(ITEMS[0], time=NOW),))
    with pytest.raises(InputError, match="not all events have a date"):
        RecommendRequest(history=(Event(ITEMS[0]),), at=NOW).check(data())


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    from xattn.cli.root import main

    monkeypatch.chdir(tmp_path)
    model().save("m.npz")
    return lambda *words: CliRunner().invoke(main, list(words))


def test_the_command_line_asks_at_a_moment(run: Callable[..., Any], tmp_path: Path) -> None:
    def items(*words: str) -> list[tuple[str, float]]:
        done = run("recommend", "--model", "./m.npz", "-k", "5", "--json", *words)
        assert done.exit_code == 0, done.output
        return [(one["item"], one["score"]) for one in json.loads(done.stdout)["items"]]

    at = ("--at", "2023-11-14T22:13:20")
    later = model().history(USER, at=NOW)
    assert items("--user", USER, *at) == scores(model().recommend(history=later, k=5)) != items("--user", USER)
    lines = [f"{item},{rating},{NOW - n * DAY:.0f}" for n, (item, rating, _) in enumerate(triples())]
    (tmp_path / "mine.csv").write_text("\n".join(["item,rating,time", *lines]))
    typed = [(*one[:2], NOW - n * DAY) for n, one in enumerate(triples())]
    for words, moment in (((), None), (at, NOW)):  # the file's moments count, as those of a frame do
        want = scores(model().recommend(history=model().history(history=typed, at=moment), k=5))
        assert items("--history", "mine.csv", *words) == want
    done = run("explain", "--model", "./m.npz", "--user", USER, "--item", ITEMS[0], "--json", *at)
    assert json.loads(done.stdout)["score"] == float(model().scores_of(later)[0])
    for words, said in ((("--at", "soon"), "`at` must be a moment"), (("--at", "2023-13-01"), "`at` must be a moment")):
        done = run("recommend", "--model", "./m.npz", "--user", USER, *words)
        assert done.exit_code == 2
        assert said in done.stderr
    (tmp_path / "plain.csv").write_text("item\n" + ITEMS[0])
    done = run("recommend", "--model", "./m.npz", "--history", "plain.csv", *at)
    assert done.exit_code == 2
    assert "not all events have a date" in done.stderr


def test_over_http_a_dated_history_is_asked_now(tmp_path: Path) -> None:
    """As one that is kept; and one whose times are numbers is not."""
    clock, plan = Clock(NOW + 2 * DAY), Plan(solve_after=0)
    typed = [(*one[:2], NOW - n * DAY) for n, one in enumerate(triples())]
    dated = [{"item": item, "rating": rating, "time": when} for item, rating, when in typed]
    numbers = [{"item": ITEMS[n], "time": n} for n in range(3)]
    with (
        open_store(stage.sqlite(tmp_path), clock=clock) as store,
        Live(store, model=model(), plan=plan) as live,
        stage.served(make_app(live, keys=False)) as address,
    ):

        def ask(events: Any, **more: Any) -> list[tuple[str, float]]:
            status, found, _ = call(
                address, "POST", "/recommend", json.dumps({"history": events, "k": 5, **more}).encode()
            )
            assert status == 200, found
            return [(one["item"], one["score"]) for one in found["items"]]

        def want(at: Any) -> list[tuple[str, float]]:
            return scores(model().recommend(history=model().history(history=typed, at=at), k=5))

        assert ask(dated) == want(NOW + 2 * DAY) != want(None)
        assert ask(dated, at="2023-11-14T22:13:20Z") == want(NOW)
        assert ask(numbers) == scores(model().recommend(history=[(x["item"], None, x["time"]) for x in numbers], k=5))
        assert ask([{"item": ITEMS[0]}]) == scores(model().recommend(history=[ITEMS[0]], k=5))
        body = json.dumps({"history": numbers, "at": NOW}).encode()
        assert call(address, "POST", "/recommend", body)[0] == 400


def test_a_model_without_heads_by_time_says_the_same_at_any_moment() -> None:
    by_events = HybridAttention(dtype="float64", min_events=2).fit(data())
    history = by_events.history(USER, at=NOW + 900 * DAY)
    assert scores(by_events.recommend(history=history)) == scores(by_events.recommend(USER))
