"""`Live`: events in, lists out, every list explained later, people forgotten exactly.

    live = Live(open_store("sqlite:///events.db"), load_dataset("movielens-small"))
    live.add([{"id": "e1", "user": "ann", "item": "260", "value": 5.0}])      durable when the call returns
    served = live.recommend("ann")                                             knows e1, without a fit
    live.why(served.list_id, served.items[0].item)                             the ledger of that score, at any time
    live.forget("ann")                                                         gone, from the model too

A list follows the newest events because a model answers about any history; nothing is fitted for that. As events add
up, the model is solved again in the background and takes the old one's place between two lists.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Self

from sqlalchemy import insert

from xattn.data import Interactions
from xattn.errors import InputError, UnknownIdError, check_id, check_moment, refuse
from xattn.live.changes import Change, alike, change, imagined
from xattn.live.export import held
from xattn.live.given import Arrival, Event, Refused, check_short, event_of
from xattn.live.keeper import Keeper, Plan
from xattn.live.person import Person, known_to, person_of
from xattn.live.said import Said, said_of
from xattn.live.satisfaction import answer_of, satisfaction
from xattn.live.satisfaction.truth import truth
from xattn.live.serving import Made, ServedList, Serving, StoredLedger, ledger_of, make_list, place_of, stored_ledger
from xattn.live.store import Kept, Removed, Store
from xattn.live.switches import Switches
from xattn.live.tables import answers, feedback, lists
from xattn.live.tables import settings as settings_table
from xattn.live.writer import Batch
from xattn.progress import Progress, silent
from xattn.recommenders import HybridAttention, Recommender
from xattn.requests.answers import ExplainAnswer
from xattn.requests.plain import Id

__all__ = ["Live"]

MOST_EVENTS = 10_000  # of one call


class Live:
    """A store, a data set that it stands on, and the model that serves both; see the module's text.

    `model` is a recommender with the settings to fit, or a fitted one, whose data is then `data` (default:
    HybridAttention with float64 tables, which forgets exactly). `plan` says after how many new events the model is
    solved again (0: never on its own), where the files of models are kept and how many, whether a process of its own
    solves, so that lists are not kept waiting, and whether lists may hold again what somebody had, unless a call says
    otherwise (`xattn.live.keeper.Plan`). The first fit, or the loading of the
    model that served last, is done here; `progress` hears of it.
    """

    def __init__(
        self,
        store: Store,
        data: Interactions | None = None,
        *,
        model: Recommender | None = None,
        plan: Plan | None = None,
        progress: Progress = silent,
    ) -> None:
        fitted = model is not None and hasattr(model, "base_")
        if data is None:
            if not fitted or model is None:
                refuse("one_of", names=("data", "model"), found="none_of_them")
            data = model.data_
        self.store = store
        template = HybridAttention(dtype="float64") if model is None else model._fresh()
        self.keeper = Keeper(store, data, template, model if fitted else None, plan or Plan(), progress)
        self._forgets: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop solving; the store stays open."""
        self.keeper.close()

    @property
    def serving(self) -> Serving:
        """What answers at the moment."""
        return self.keeper.serving

    # --- events and lists -------------------------------------------------------------------------------------------

    def add(self, documents: Sequence[Any]) -> Arrival:
        """Take in events; see `xattn.live.given.Event`. Durable when the call returns.

        What cannot be taken is named in the answer, with its place and the reason; the others are taken. Raises
        StoreError where none could be written, and InputError for more than 10,000 at once.
        """
        if len(documents) > MOST_EVENTS:
            refuse("many_events", most=MOST_EVENTS, got=len(documents))
        data, now = self.serving.data, self.store.now()
        given: list[Event] = []
        wrong: list[tuple[Refused, str | None]] = []
        for at, document in enumerate(documents):
            try:
                given.append(event_of(document, data, at, now))
            except InputError as problem:
                wrong.append((Refused(at, problem), _id_of(document)))
        arrival = self.store.add_events(given, wrong)
        if arrival.accepted:
            self.keeper.arrived(arrival.accepted)
        return arrival

    def person(self, user: str) -> Person:
        """What lists know of a person now."""
        return person_of(self.serving.data, user, self.store.of(user), self.store.now())

    def recommend(self, user: Any, k: int | None = None, *, at: Any = None, **conditions: Any) -> ServedList:
        """The list of a person, known or new; `conditions` are those of `Recommender.recommend`. It is kept.

        It is asked now, or `at` a moment (ISO 8601, or seconds since 1970): heads that forget by time count from there
        how long ago events were, and one that came later as just now. Raises InputError for wrong conditions,
        StoreError where the list could not be kept.
        """
        user = check_short("user", check_id("user", user))
        serving = self.serving
        mark = self.store.mark(user)
        forgets = self._forgets.get(mark, 0)
        seq = self.store.seen()
        now = self.store.now() if at is None else check_moment("at", at)
        person = person_of(serving.data, user, self.store.of(user, seq), now)
        asked = {**self._asked(k), **conditions}
        made = make_list(serving.model, person, asked)
        list_id = secrets.token_hex(16)
        row = {**self._row(list_id, seq, person, serving, made, asked), "asked": now}

        def keep(batch: Batch) -> None:
            if self._forgets.get(mark, 0) == forgets:  # else the person has been forgotten meanwhile
                batch.connection.execute(insert(lists), {**row, "made": batch.now})

        self.store.writer.do(keep)
        listed = made.listed(serving.model.data_)
        return ServedList(list_id, user, serving.fingerprint, person.switches.personal, listed)

    # --- what people say and switch ---------------------------------------------------------------------------------

    def preview(
        self,
        user: Any,
        *,
        said: Sequence[Any] = (),
        add: Sequence[Any] = (),
        settings: Mapping[str, Any] | None = None,
        k: int | None = None,
    ) -> Change:
        """What would follow if a person said these (`xattn.live.said.Said`), did these (`Event`), and switched these
        settings (`Switches`); ids may be left out. Nothing is kept. Raises InputError."""
        user = check_short("user", check_id("user", user))
        serving, kept, now = self.serving, self.store.of(user), self.store.now()
        known = {row.id for row in (*kept.events, *kept.feedback)}
        things = [said_of(_named(one, user, f"said {n}"), serving.data, now, n) for n, one in enumerate(said)]
        events = [event_of(_named(one, user, f"event {n}"), serving.data, n, now) for n, one in enumerate(add)]
        switches = None if settings is None else _switches(kept).changed(settings, serving.data)
        rows = [one.row(self._alike(one)) for one in things if one.id not in known]
        news = [one for one in events if one.id not in known]
        return self._change(serving, user, kept, imagined(kept, rows, news, switches), k)

    def say(self, document: Any, k: int | None = None) -> tuple[bool, Change]:
        """Take in what somebody says (`xattn.live.said.Said`): whether it is new, and what it does to the list.

        Durable when the call returns. Raises InputError, StoreError.
        """
        serving = self.serving
        said = said_of(document, serving.data, self.store.now())
        if said.undoes is not None and said.undoes not in {row.id for row in self.store.of(said.user).feedback}:
            refuse("nothing_to_undo", kind=UnknownIdError, got=said.undoes)
        before = self.store.of(said.user)
        new = self.store.add(feedback, said.row(self._alike(said)))
        return new, self._change(serving, said.user, before, self.store.of(said.user), k)

    def _change(self, serving: Serving, user: str, before: Kept, after: Kept, k: int | None) -> Change:
        """What lies between two states, in lists that are asked now."""
        return change(serving, user, before, after, self._asked(k), self.store.now())

    def _alike(self, said: Said) -> tuple[Id, ...]:
        """The items that had the same largest reason in the list that it was said about (default: the newest one)."""
        if said.kind != "not_interested" or said.event is None:
            return ()
        row = self.store.newest_list(said.user) if said.list_id is None else self.store.listed(said.list_id)
        return () if row is None else alike(self.serving.data, said, row, known_to(row, self.serving.data, self.store))

    def switch(self, user: Any, document: Mapping[str, Any], k: int | None = None) -> tuple[Switches, Change]:
        """Change settings of a person (`xattn.live.switches.Switches`), at once and for good: what holds now, and what
        that does to the list. Raises InputError, StoreError."""
        user = check_short("user", check_id("user", user))
        serving, before = self.serving, self.store.of(user)
        switches = _switches(before).changed(document, serving.data)
        self.store.add(settings_table, {"user": user, "settings": switches.text()})
        return switches, self._change(serving, user, before, self.store.of(user), k)

    def answer(self, document: Any) -> tuple[bool, str | None]:
        """Take in answers (`xattn.live.satisfaction.Answer`): whether they are new; of a guess, what is true.

        Durable when the call returns. Raises InputError, StoreError.
        """
        given = answer_of(document)
        told = {}
        if given.form == "removal":
            told["truth"] = truth(self.store, self.serving.data, self.keeper.model_of, given)
        return self.store.add(answers, given.row(**told)), told.get("truth")

    def satisfaction(self) -> dict[str, Any]:
        """How satisfied people are, from what they said and answered; see `xattn.live.satisfaction.report`."""
        return satisfaction(self.store)

    # --- explanations -----------------------------------------------------------------------------------------------

    def why(self, list_id: str, item: Any) -> tuple[ExplainAnswer | StoredLedger, str]:
        """Why an item had its score in a list that was served, whenever that was; and whose list it was.

        The explanation comes from the model that made the list, or, where its file is gone, from the ledger that was
        kept with the list. Raises UnknownIdError for a list that is not there, or an item that was not in it.
        """
        row = self.store.listed(list_id) if isinstance(list_id, str) else None
        if row is None:
            refuse("unknown_list", kind=UnknownIdError, got=str(list_id))
        item = check_id("item", item)
        place_of(row, item)
        data = self.serving.data
        person = known_to(row, data, self.store)
        model = self.keeper.model_of(row.model)
        if model is None:
            return stored_ledger(row, data, person, item), row.user
        ledger = ledger_of(model, person, item, json.loads(row.conditions))
        return ExplainAnswer.of(ledger), row.user

    def held(self, user: Any) -> dict[str, Any]:
        """All that is held of a person: rows of the store, events of the data set, and what lists know."""
        return held(self.store, self.serving, check_id("user", user))

    def figures(self) -> dict[str, float]:
        """What /metrics tells of the store and the model."""
        serving = self.serving
        return {
            "jobs_waiting": self.store.writer.waiting,
            "events_since_model": self.keeper.pending,
            "rows_newest": self.store.seen(),
            "model_knows_rows": serving.knows,
            "model_users": serving.model.data_.n_users,
            "model_events": serving.model.data_.n_events,
            "models_kept": len(self.keeper.models.kept()),
            "solved_total": self.keeper.solved,
        }

    def warm(self) -> None:
        """Compile what a list takes, so that no caller waits for it."""
        data = self.serving.data
        users = data.user_ids[:: max(1, data.n_users // 20)]
        for user in users:
            make_list(self.serving.model, self.person(user), {"k": None})

    def _asked(self, k: int | None) -> dict[str, Any]:
        """The conditions of a list of which nothing else is said."""
        return {"k": k, "seen": self.keeper.plan.seen}

    def _row(
        self, list_id: str, seq: int, person: Person, serving: Serving, made: Made, asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        ids = serving.model.data_.items.ids
        return {
            "id": list_id,
            "seq": seq,
            "user": person.user,
            "model": serving.fingerprint,
            "personal": person.switches.personal,
            "items": json.dumps([ids[row] for row in made.rows.tolist()], ensure_ascii=False),
            "numbers": made.numbers.to_bytes(),
            "conditions": json.dumps({name: value for name, value in asked.items() if value is not None}),
            "scenario": self.keeper.plan.scenario,
        }

    # --- the model and the person -----------------------------------------------------------------------------------

    def solve(self, *, anew: bool = False, progress: Progress = silent) -> str:
        """Solve the model again with all events so far, and let it serve; its fingerprint.

        The sums that the solver keeps are brought up to date; with `anew` everything is fitted from the start, and the
        same events then give the same bits, whatever the order in which they came.
        """
        return self.keeper.solve(anew=anew, progress=progress)

    def forget(self, user: Any, progress: Progress = silent) -> Removed:
        """Forget a person: all rows, and what models learned. When the call returns, nothing is left.

        The model that serves is solved again without the person, and equals a fit that never saw them; older models
        that hold the person are deleted, and lists of others that they made keep their stored ledgers.
        """
        user = check_id("user", user)
        mark = self.store.mark(user)
        self._forgets[mark] = self._forgets.get(mark, 0) + 1
        return self.keeper.forget(user, progress)


def _named(document: Any, user: str, name: str) -> Any:
    """A document with a user and an id, where it has none."""
    return {"id": name, "user": user, **document} if isinstance(document, Mapping) else document


def _switches(kept: Kept) -> Switches:
    return Switches.of(kept.settings[-1].settings) if kept.settings else Switches()


def _id_of(document: Any) -> str | None:
    """The id of an event that cannot be taken, if it has one."""
    given = document.get("id") if isinstance(document, Mapping) else None
    try:
        return check_short("id", check_id("id", given))
    except InputError:
        return None
