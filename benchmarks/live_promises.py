"""Three promises of live lists, tried many times on the bundled films, or on 40 planted items; nothing is kept.

    PYTHONPATH=. python benchmarks/live_promises.py [--planted] [--previews 1000] [--people 200] [--lists 10000]

previews         what is announced for random things said, done and switched, beside what is then served
not_interested   one of them about the first item and its reason: which of the items with this reason leave the list,
                 when the list was served (it names them), and when none was (what the model makes of it alone)
why              old lists, explained when all events have come: the largest difference to the scores that were served

Prints a line of JSON for each, as it is done.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from xattn.data import load_dataset, planted
from xattn.features import feature_set
from xattn.live import Live, Plan, open_store
from xattn.live.changes import reasons
from xattn.live.person import known_to
from xattn.live.record import Numbers
from xattn.live.said import KINDS
from xattn.live.serving import ledger_of, make_list
from xattn.recommenders import HybridAttention, Recommender


@contextmanager
def fresh(model: Recommender) -> Iterator[Live]:
    """A new store on the model."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(f"sqlite:///{folder}/events.db") as store,
        Live(store, model=model, plan=Plan(solve_after=0, most_models=0)) as live,
    ):
        yield live


def previews(live: Live, wanted: int) -> dict[str, Any]:
    """How many of the announced lists are not what is then served."""
    rng, data = np.random.default_rng(0), live.serving.model.data_
    tags, ids, users = feature_set(data.items).names, data.items.ids, data.user_ids[::10]
    wrong, tried = 0, 0
    while tried < wanted:
        user, n = str(rng.choice(users)), tried
        pick = rng.integers(10)
        if pick < 6:
            kind = str(rng.choice([kind for kind in KINDS if kind != "undo"]))
            about = {"item": str(rng.choice(ids))}
            if kind in ("more", "less"):
                name = str(rng.choice(["item", "event", "tag"]))
                about = {name: str(rng.choice(tags if name == "tag" else ids))}
            elif kind == "not_interested" and n % 2:
                about["event"] = str(rng.choice(ids))
            elif kind == "not_interested" and (row := live.store.newest_list(user)) is not None:
                person = known_to(row, data, live.store)
                listed = json.loads(row.items)
                found = reasons(Numbers.of(row.numbers, len(listed)).ledger, person.shown)
                if found and found[0] is not None:
                    about = {"item": listed[0], "event": ids[found[0]]}
            document = {"id": f"f{n}", "user": user, "kind": kind, **about}
        elif pick < 8:
            event = {"id": f"x{n}", "user": user, "item": str(rng.choice(ids)), "value": float(rng.integers(1, 6))}
            told = live.preview(user, add=[event])
            live.add([event])
        elif pick < 9:
            switches = {"muted": [str(rng.choice(tags))], "dropped": [str(rng.choice(tags))], "personal": bool(n % 3)}
            told = live.preview(user, settings=switches)
            live.switch(user, switches)
        else:
            said = [row.id for row in live.store.of(user).feedback if row.kind != "undo"]
            if not said:
                continue
            document = {"id": f"f{n}", "user": user, "kind": "undo", "undoes": str(rng.choice(said))}
        if pick < 6 or pick == 9:
            told = live.preview(user, said=[document])
            live.say(document)
        wrong += live.recommend(user).items != told.after
        tried += 1
    return {"previews": tried, "differences": wrong}


def not_interested(live: Live, people: int, listed: bool = True) -> dict[str, Any]:
    """Which of the items whose largest reason was taken away leave the list, over people."""
    data = live.serving.model.data_
    left = asked = 0
    shares, by_length = [], {"under 50 events": [0, 0], "50 to 199": [0, 0], "200 and more": [0, 0]}
    for user in data.user_ids[:: max(1, data.n_users // people)][:people]:
        person = live.person(user)
        made = make_list(live.serving.model, person, {"k": 10})
        why = reasons(made.numbers.ledger, person.shown)
        if not why or why[0] is None:
            continue
        ids = data.items.ids
        mine = {ids[row] for row, reason in zip(made.rows.tolist(), why, strict=True) if reason == why[0]}
        about = {"item": ids[made.rows[0]], "event": ids[why[0]]}
        if listed:
            assert live.recommend(user, 10).items == made.listed(live.serving.model.data_)
        _, did = live.say({"id": f"n {user}", "user": user, "kind": "not_interested", **about}, k=10)
        after = {one.item for one in did.after}
        assert mine & after == {one.item for one in did.stayed} & mine  # each that stays is named
        asked += len(mine)
        left += len(mine - after)
        shares.append(len(mine - after) / len(mine))
        n = len(person.history)
        group = by_length["under 50 events" if n < 50 else "50 to 199" if n < 200 else "200 and more"]
        group[0], group[1] = group[0] + len(mine), group[1] + len(mine - after)
    return {
        "people": people,
        "list_was_served": listed,
        "items_with_the_reason": asked,
        "left_the_list": left,
        "share": left / asked,
        "mean_over_people": float(np.mean(shares)),
        "share_by_length_of_history": {name: gone / total for name, (total, gone) in by_length.items() if total},
    }


def of_no_list(live: Live, people: int) -> dict[str, Any]:
    """The same where no list was served before it was said."""
    return not_interested(live, people, listed=False)


def why(live: Live, wanted: int) -> dict[str, Any]:
    """The largest difference between a score that was served and the sum of its ledger, asked for at the end."""
    rng, data = np.random.default_rng(1), live.serving.model.data_
    served = []
    for n in range(wanted):
        user = f"new{rng.integers(200)}" if n % 2 else data.user_ids[rng.integers(data.n_users)]
        if n % 3 == 0:
            live.add([{"id": f"w{n}", "user": user, "item": data.items.ids[rng.integers(data.n_items)], "value": 4.0}])
        one = live.recommend(user, k=10)
        served.append((one.list_id, one.items[rng.integers(len(one.items))]))
    score, total = 0.0, 0.0
    for list_id, item in served:
        row = live.store.listed(list_id)
        assert row is not None
        person = known_to(row, data, live.store)
        ledger = ledger_of(live.serving.model, person, item.item, json.loads(row.conditions))
        cells = sum(float(head.contribution.sum()) for head in ledger.heads)
        score = max(score, abs(ledger.score - item.score))
        total = max(total, abs(ledger.base + cells - item.score))
    return {"lists": wanted, "largest_difference_of_score": score, "largest_difference_of_sum": total}


def main() -> None:
    """Try, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--previews", type=int, default=1_000)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--lists", type=int, default=10_000)
    given = parser.parse_args()
    data = planted("genre", seed=0).data if given.planted else load_dataset("movielens-small")
    model = HybridAttention(dtype="float64").fit(data)
    works = (not_interested, given.people), (of_no_list, given.people), (previews, given.previews), (why, given.lists)
    for work, n in works:
        if not n:
            continue
        begun = time.perf_counter()
        with fresh(model) as live:
            found = work(live, n)
        print(
            json.dumps({"promise": work.__name__, **found, "seconds": round(time.perf_counter() - begun)}), flush=True
        )


if __name__ == "__main__":
    main()
