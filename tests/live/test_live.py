"""Live: lists follow events, explanations give the scores that were served, people are forgotten exactly."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.live.stage import data, model, sqlite, template
from tests.recommenders.test_forget import gap
from xattn.data import History
from xattn.errors import InputError, UnknownIdError
from xattn.live import Live, Plan, open_store
from xattn.live.given import Event
from xattn.live.record import Numbers
from xattn.live.serving import StoredLedger
from xattn.live.whole import whole
from xattn.recommenders import HybridAttention, UserAttention, load_model
from xattn.testing.data import data_of

EXACT = 1e-10


@pytest.fixture
def live(url: str) -> Any:
    with open_store(url) as store, Live(store, model=model(), plan=Plan(solve_after=0)) as found:
        yield found


@pytest.fixture
def alone(tmp_path: Path) -> Any:
    """A Live over SQLite; for what does not depend on the store."""
    with open_store(sqlite(tmp_path)) as store, Live(store, model=model(), plan=Plan(solve_after=0)) as found:
        yield found


def event(name: str, user: str, item: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "user": user, "item": item, **more}


def items(served: Any) -> list[str]:
    return [one.item for one in served.items]


def test_the_next_list_knows_the_event(live: Live) -> None:
    first = live.recommend("ann")
    live.add([event("e", "ann", first.items[0].item, value=5.0)])
    second = live.recommend("ann")
    assert first.items[0].item not in items(second)
    assert items(first) != items(second)
    want = model().recommend(history=[(first.items[0].item, 5.0)])
    assert items(second) == want["item"].tolist()
    assert [one.score for one in second.items] == want["score"].tolist()


def test_lists_hold_again_what_somebody_had_where_the_plan_says_so(tmp_path: Path) -> None:
    plan = Plan(solve_after=0, seen="keep")
    with open_store(sqlite(tmp_path)) as store, Live(store, model=model(), plan=plan) as live:
        had = live.recommend("ann", k=40).items[0].item
        add = [event("e", "ann", had, value=5.0)]
        told = live.preview("ann", add=add, k=40)
        live.add(add)
        served = live.recommend("ann", k=40)
        want = model().recommend(history=[(had, 5.0)], k=40, seen="keep")
        assert had in items(served)
        assert items(served) == want["item"].tolist()
        assert [one.item for one in told.after] == items(served)
        answer, _ = live.why(served.list_id, had)
        assert (answer.rank, answer.score) == next((x.rank, x.score) for x in served.items if x.item == had)
        _, switched = live.switch("ann", {"personal": False}, k=40)
        assert [one.item for one in switched.before] == items(served)
        _, said = live.say({"id": "s", "user": "ann", "kind": "not_interested", "item": had}, k=40)
        assert had not in [one.item for one in said.after]
        assert had not in items(live.recommend("ann", k=40, seen="drop"))
    with pytest.raises(InputError, match="`seen` must be"):
        Plan(seen="perhaps")


def test_a_person_of_the_data_set_has_both_histories(alone: Live) -> None:
    user = data().user_ids[3]
    before = model().recommend(user)
    assert items(alone.recommend(user)) == before["item"].tolist()
    alone.add([event("e", user, before["item"][0], value=4.0)])
    row = data().item_row(before["item"][0])
    want = model().recommend(history=model().history(user).followed_by([row], rating=[4.0]))
    assert items(alone.recommend(user)) == want["item"].tolist()


def test_why_of_every_list_gives_the_score_that_was_served(live: Live) -> None:
    rng = np.random.default_rng(0)
    ids = data().items.ids
    kept = []
    for n in range(12):
        user = f"u{n % 4}"
        live.add([event(f"e{n}", user, str(rng.choice(ids)), value=float(rng.integers(1, 6)))])
        kept.append(live.recommend(user, k=3))
    live.solve()  # another model serves; the old one explains its lists
    assert live.serving.fingerprint != kept[0].model
    for served in kept:
        for one in served.items:
            said, user = live.why(served.list_id, one.item)
            assert said.score == one.score
            assert user == served.user
            assert abs(said.base + sum(cell.contribution for cell in said.cells) - one.score) < EXACT


def test_a_list_whose_model_is_gone_is_explained_by_its_ledger(alone: Live) -> None:
    alone.add([event(f"e{n}", "ann", item, value=5.0) for n, item in enumerate(data().items.ids[:4])])
    served = alone.recommend("ann")
    full, _ = alone.why(served.list_id, served.items[0].item)
    alone.keeper.models.drop(served.model)
    alone.add([event("x", "bob", data().items.ids[0])])
    alone.solve()
    alone.keeper.models.drop(served.model)
    said, _ = alone.why(served.list_id, served.items[0].item)
    assert isinstance(said, StoredLedger)
    assert abs(said.base + sum(cell.contribution for cell in said.cells) - served.items[0].score) < EXACT
    by_event: dict[int, float] = {}
    for cell in full.cells:
        by_event[cell.position] = by_event.get(cell.position, 0.0) + cell.contribution
    assert {cell.position: pytest.approx(cell.contribution, abs=EXACT) for cell in said.cells} == by_event


def test_late_events_do_not_change_what_an_old_list_says(alone: Live) -> None:
    first, second, third = data().items.ids[:3]
    alone.add([event("b", "ann", second, time=200)])
    served = alone.recommend("ann")
    alone.add([event("a", "ann", first, time=100), event("c", "ann", third)])
    said, _ = alone.why(served.list_id, served.items[0].item)
    assert [met.event for met in said.history] == [second]
    assert said.score == served.items[0].score
    assert [data().items.ids[row] for row in alone.person("ann").history.item] == [first, second, third]


def test_unknown_lists_and_items_are_refused(alone: Live) -> None:
    served = alone.recommend("ann", k=2)
    with pytest.raises(UnknownIdError, match="must be one that was served"):
        alone.why("nothing", served.items[0].item)
    absent = next(item for item in data().items.ids if item not in items(served))
    with pytest.raises(UnknownIdError, match="must be in the list"):
        alone.why(served.list_id, absent)


def test_faults_of_single_events_are_named_and_the_others_taken(alone: Live) -> None:
    good = event("g", "ann", data().items.ids[0])
    wrong: list[Any] = [
        event("w1", "ann", "nowhere"),
        event("w2", "ann", data().items.ids[0], value=9.0),
        event("w3", "ann", data().items.ids[0], time="soon"),
        {"id": "w4", "user": "ann"},
        7,
        event("w5", "ann", data().items.ids[0], more=1),
        event("w6", "", data().items.ids[0]),
        event("w7", "ann", data().items.ids[0], time="9999-01-01"),
    ]
    arrival = alone.add([good, *wrong])
    assert arrival.accepted == 1
    assert [one.at for one in arrival.refused] == list(range(1, 9))
    codes = [one.problem.code for one in arrival.refused]
    assert codes == ["unknown_id", "number", "moment", "no_key", "no_object", "other_key", "id_text", "future"]
    assert alone.add([event("g", "ann", "nowhere")]) == (0, 1, ())
    with pytest.raises(InputError, match="At most 10,000"):
        alone.add([good] * 10_001)


def test_nobody_known_gets_the_base(alone: Live) -> None:
    served = alone.recommend("nobody")
    assert [one.score for one in served.items] == [one.base for one in served.items]
    said, _ = alone.why(served.list_id, served.items[0].item)
    assert said.score == served.items[0].score
    assert said.cells == ()


# --- one state --------------------------------------------------------------------------------------------------------


def scrambled(seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    ids = data().items.ids
    return [
        event(
            f"e{n}",
            f"u{rng.integers(6)}" if n % 3 else data().user_ids[rng.integers(3)],
            str(rng.choice(ids)),
            value=float(rng.integers(1, 6)),
            time=float(rng.integers(0, 40)) * 4e7,
        )
        for n in range(120)
    ]


def test_eight_clients_and_repeats_in_any_order_make_one_state(url: str, tmp_path: Path) -> None:
    given = scrambled(1)
    with open_store(sqlite(tmp_path)) as store, Live(store, model=model(), plan=Plan(solve_after=0)) as calm:
        calm.add(given)
        calm.solve(anew=True)
        users = sorted({one["user"] for one in given})
        want = {user: calm.recommend(user).items for user in users}
        tables = calm.serving.model._state()
    with open_store(url) as store, Live(store, model=model(), plan=Plan(solve_after=40)) as wild:

        def client(seed: int) -> None:
            rng = np.random.default_rng(seed)
            mine = [given[n] for n in range(len(given)) if n % 8 == seed] + list(rng.choice(given, 20))
            sent = [one for one in mine for _ in range(rng.integers(1, 6))]
            rng.shuffle(sent)  # type: ignore[arg-type]
            for low in range(0, len(sent), 7):
                wild.add(sent[low : low + 7])
                wild.recommend(sent[low]["user"], k=2)

        clients = [threading.Thread(target=client, args=(seed,)) for seed in range(8)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        wild.solve(anew=True)
        assert {user: wild.recommend(user).items for user in users} == want
        assert all(np.array_equal(array, tables[name]) for name, array in wild.serving.model._state().items())


@pytest.mark.parametrize("shape", ["clean", "messy", "unrated"])
def test_the_data_of_a_fit_holds_the_histories_that_lists_see(tmp_path: Path, shape: str) -> None:
    base = data_of(shape)
    rng = np.random.default_rng(2)
    moments = rng.choice(base.time if base.time is not None else np.arange(5.0), 60)
    users = [*base.user_ids[:4], "new b", "new a"]
    with open_store(sqlite(tmp_path)) as store:
        rated = base.rating is not None
        store.add_events(
            [
                Event(
                    f"{n:03}",
                    str(rng.choice(users)),
                    str(rng.choice(base.items.ids)),
                    "buy" if base.kind is not None else None,
                    3.0 if rated and n % 2 else None,
                    float(moments[n]),
                )
                for n in range(60)
            ]
        )
        both = whole(base, store.everybody())
        with Live(store, base, model=UserAttention(), plan=Plan(solve_after=0)) as live:
            for user in users:
                want, seen = History.of(both, both.user_row(user)), live.person(user).history
                assert np.array_equal(want.item, seen.item)
                for name in ("rating", "kind"):
                    one, other = getattr(want, name), getattr(seen, name)
                    assert (one is None) == (other is None)
                    same = one is None or all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))
                    assert same


# --- models -----------------------------------------------------------------------------------------------------------


def test_events_that_add_up_lead_to_a_new_model(tmp_path: Path) -> None:
    with open_store(sqlite(tmp_path)) as store, Live(store, model=model(), plan=Plan(solve_after=10)) as live:
        first = live.serving.fingerprint
        live.add([event(f"e{n}", "ann", data().items.ids[n]) for n in range(10)])
        for _ in range(600):
            if live.serving.fingerprint != first:
                break
            time.sleep(0.05)
        assert "ann" in live.serving.model.data_.user_ids
        assert live.figures()["events_since_model"] == 0
        fresh = template().fit(whole(data(), store.everybody()))
        assert gap(live.serving.model, fresh) <= EXACT
        live.add([event(f"f{n}", "bob", data().items.ids[n]) for n in range(3)])
        live.solve()  # from the sums
        assert gap(live.serving.model, template().fit(whole(data(), store.everybody()))) <= EXACT


def test_a_process_of_its_own_solves_the_same(tmp_path: Path) -> None:
    plan = Plan(solve_after=0, in_process=True)
    with open_store(sqlite(tmp_path)) as store, Live(store, model=model(), plan=plan) as live:
        for part in range(2):
            live.add([event(f"{part}-{n}", "ann", data().items.ids[n + part]) for n in range(5)])
            live.solve()
            assert gap(live.serving.model, template().fit(whole(data(), store.everybody()))) <= EXACT
        live.forget("ann")
        assert gap(live.serving.model, model()) <= EXACT
        live.keeper.solver._process.kill()
        live.keeper.solver._process.join()
        live.solve()  # in a new process


def test_a_restart_finds_the_model_that_served(tmp_path: Path) -> None:
    with open_store(sqlite(tmp_path)) as store:
        with Live(store, data(), model=template(), plan=Plan(solve_after=0)) as live:
            live.add([event("e", "ann", data().items.ids[0])])
            live.solve()
            served = live.recommend("ann")
        with Live(store, data(), model=template(), plan=Plan(solve_after=0)) as live:
            assert live.serving.fingerprint == served.model
            again = live.recommend("ann")
            assert again.items == served.items
            said, _ = live.why(served.list_id, served.items[0].item)
            assert said.score == served.items[0].score
        with Live(store, data(), model=HybridAttention(min_events=3), plan=Plan(solve_after=0)) as live:
            assert live.serving.fingerprint != served.model  # other settings were asked for
            assert "ann" in live.serving.model.data_.user_ids


def test_models_are_kept_up_to_the_limit(tmp_path: Path) -> None:
    plan = Plan(solve_after=0, most_models=2)
    with open_store(sqlite(tmp_path)) as store, Live(store, model=model(), plan=plan) as live:
        made = [live.serving.fingerprint]
        for n in range(3):
            live.add([event(f"e{n}", "ann", data().items.ids[n])])
            made.append(live.solve())
        assert live.keeper.models.kept() == made[:1:-1]


# --- forgetting -------------------------------------------------------------------------------------------------------


def test_whoever_is_forgotten_is_in_no_file_and_no_model(tmp_path: Path) -> None:
    name, other = "somebody-to-forget", data().user_ids[5]
    (tmp_path / "deep").mkdir()
    with open_store(sqlite(tmp_path / "deep")) as store, Live(store, model=model(), plan=Plan(solve_after=0)) as live:
        live.add([event(f"e{n}", name, data().items.ids[n], value=5.0) for n in range(6)])
        live.solve()
        old = live.recommend(other)
        live.recommend(name)
        removed = live.forget(name)
        assert (removed.events, removed.lists) == (6, 1)
        assert gap(live.serving.model, model()) <= EXACT
        for path in (tmp_path / "deep").rglob("*"):
            assert not path.is_file() or name.encode() not in path.read_bytes(), path.name
        for path in (tmp_path / "deep").rglob("*.npz"):
            assert name not in load_model(path).data_.user_ids
        said, _ = live.why(old.list_id, old.items[0].item)  # of the model that held the person: from its stored ledger
        assert isinstance(said, StoredLedger)
        assert said.score == old.items[0].score
        assert live.recommend(name).items == live.recommend("nobody").items


def test_people_of_the_data_set_are_forgotten_one_after_another_and_stay_out(tmp_path: Path) -> None:
    gone = data().user_ids[2:8:2]
    with open_store(sqlite(tmp_path)) as store:
        with Live(store, model=model(), plan=Plan(solve_after=0)) as live:
            for n, user in enumerate(gone, 1):
                live.forget(user)
                fresh = template().fit(data().without_users(gone[:n]))
                assert gap(live.serving.model, fresh) <= EXACT
        with Live(store, model=model(), plan=Plan(solve_after=0)) as live:
            assert not set(gone) & set(live.serving.model.data_.user_ids)
            assert live.recommend(gone[0]).items == live.recommend("nobody").items
            assert live.held(gone[0])["of_the_data_set"] == []


def test_what_is_held_is_told_and_then_gone(alone: Live) -> None:
    user = data().user_ids[1]
    alone.add([event("e", user, data().items.ids[0], value=3.0, time="2026-01-01")])
    served = alone.recommend(user, k=2)
    held = alone.held(user)
    assert [row["id"] for row in held["events"]] == ["e"]
    assert held["lists"][0]["items"] == items(served)
    assert held["lists"][0]["scores"] == [one.score for one in served.items]
    assert held["lists"][0]["propensities"] == [1.0, 1.0]
    assert len(held["of_the_data_set"]) == len(model().history(user))
    assert held["model_holds"]
    alone.forget(user)
    held = alone.held(user)
    assert not any(held[name] for name in ("events", "lists", "feedback", "answers", "settings", "of_the_data_set"))
    assert not held["model_holds"]


def test_a_list_that_is_made_while_its_person_is_forgotten_is_not_kept(
    alone: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = alone.store.of

    def of(user: str, upto: int | None = None) -> Any:
        found = real(user, upto)
        monkeypatch.setattr(alone.store, "of", real)
        alone.forget(user)
        return found

    alone.add([event("e", "ann", data().items.ids[0])])
    monkeypatch.setattr(alone.store, "of", of)
    alone.recommend("ann")
    assert alone.held("ann")["lists"] == []


# --- records ----------------------------------------------------------------------------------------------------------


def test_numbers_come_back_as_they_were() -> None:
    rng = np.random.default_rng(0)
    for k, n in ((3, 5), (2, 0), (0, 0)):
        numbers = Numbers(rng.random(k), rng.random(k), np.ones(k), rng.random((k, n)))
        back = Numbers.of(numbers.to_bytes(), k)
        assert all(np.array_equal(a, b) for a, b in zip(numbers, back, strict=True))
