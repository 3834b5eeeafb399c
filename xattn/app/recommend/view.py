"""The view: all that the recommendations page shows, as one frozen value, and the address that stands for it.

    ?user=42&model=HybridAttention&k=10&without=736,1210&item=260&tab=heads
    ?user=you&films=1*1917_1~260_5~1196_5       (or, as links were once: ?user=you&liked=260,1196&disliked=1917)
    …&said=more_260~less_1917&muted=recency 3

The address is made from the view and the view from the address. Whatever a parameter holds, reading it gives a view
that can be shown, and one complaint for each value that cannot. Events that are left out are item ids in the address;
an id that begins with ~ is named by a position in the history, `~3`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

import numpy as np

from xattn.app.recommend import opinions
from xattn.app.recommend.opinions import Opinions
from xattn.app.ui import picks
from xattn.app.ui.picks import MOST_PICKS, Picks
from xattn.data import History, Interactions
from xattn.errors import InputError, shown
from xattn.requests import Event, RecommendRequest

R = TypeVar("R")

__all__ = ["DEPTHS", "FEW_EVENTS", "MOST_K", "PARAMETERS", "TABS", "YOU", "Complaint", "View"]

YOU = "you"  # the user whose events are picked by hand
MOST_K = 50
MOST_MUTED = 20
LONGEST_BLOCK = 200  # characters of its name in an address
FEW_EVENTS = 8  # events with a tick box at first
DEPTHS = ("clause", "sentence", "paragraph")
TABS = {  # of an explanation: what each is called; the first is open at first
    "why": "why.reasons",
    "whatif": "why.what_if",
    "sum": "why.sum",
    "heat": "why.heat",
    "parts": "why.parts",
    "compare": "why.compare",
    "heads": "why.heads",
    "versus": "why.versus",
    "take": "why.take",
}
MOVED = {"weights": "compare"}  # tabs of before, and where they stand now
HOW_OPEN = ("depth", "tab", "versus", "block", "event", "boxes")
EXACT = "exact"
FILMS = "films"
THUMBS = ("liked", "disliked")  # how picks were written once
PARAMETERS = ("user", "model", "k", FILMS, *THUMBS, "said", "muted", "without", "item", *HOW_OPEN, EXACT)


class Complaint(NamedTuple):
    """A parameter that was not followed: `link.must_{must}` is the text that says what it must be."""

    name: str
    must: str
    got: str


def _once(work: Callable[[View, Interactions], R]) -> Callable[[View, Interactions], R]:
    """A method that works once: the view keeps what it found, for the data that were asked last. A page asks for the
    request of one view some forty times."""

    @wraps(work)
    def told(self: View, data: Interactions) -> R:
        known = self.found.get(work.__name__)
        if known is None or known[0] is not data:
            known = self.found[work.__name__] = (data, work(self, data))
        found: R = known[1]
        return found

    return told


@dataclass(frozen=True)
class View:
    """What is asked of the model, then how much of the answer is open.

    `user` is an id, or `YOU` with `films`, items that were picked with their stars, oldest first. `without` names items
    of the history by the position of their newest event, the newest choice last; `said` are opinions, which come after
    the history; `muted` are heads. `item` is the one that is explained (None: nobody chose one, so it is the first of
    the list), in words of this `depth`, with this `tab`, compared with the item `versus` (None: the first of the list),
    by the parts of a `block` of features and of an `event` (an item; None: those that say most), with so many tick
    `boxes`. `exact` numbers are those of the model; else they are shares and places.
    `seen` is that of `recommend`, and of the data that the page shows; no address holds it. `found` is what methods
    have found so far; no part of the view.
    """

    user: str
    model: str
    k: int = 10
    films: Picks = ()
    said: Opinions = ()
    muted: tuple[str, ...] = ()
    without: tuple[int, ...] = ()
    item: str | None = None
    depth: str = "sentence"
    tab: str = "why"
    versus: str | None = None
    block: str | None = None
    event: str | None = None
    boxes: int = FEW_EVENTS
    exact: bool = False
    seen: str = "drop"
    found: dict[str, tuple[Interactions, Any]] = field(init=False, default_factory=dict, compare=False, repr=False)

    @property
    def edits(self) -> tuple[Opinions, tuple[int, ...], tuple[str, ...]]:
        """All that sets the list apart from the plain one: opinions, events left out, heads muted."""
        return self.said, self.without, self.muted

    @property
    def plain(self) -> View:
        """The view before anything was edited."""
        return self.edited_as(View("", ""))

    def is_whole(self, data: Interactions) -> bool:
        """There is somebody to recommend to: a user, or at least one picked item."""
        return bool(self.films if self.user == YOU else self.user)

    def edited_as(self, other: View) -> View:
        """This view with the edits of another one."""
        return replace(self, said=other.said, without=other.without, muted=other.muted)

    @_once
    def events(self, data: Interactions) -> History:
        """The events that the question is about, opinions the newest; all events of the items of `without` are masked.
        Raises InputError where `data` does not know a user or an item."""
        history = self._whole(data)
        return history.without(history.alike(self.without)) if self.without else history

    @_once
    def _whole(self, data: Interactions) -> History:
        if self.user == YOU:
            history = History.given(data, picks.events(data, self.films))
        else:
            history = History.of(data, data.user_row(self.user))
        said = opinions.events(data, self.said)
        if said:
            items, ratings = zip(*said, strict=True)
            history = history.followed_by(data.items.rows(items), None if ratings[0] is None else ratings)
        return history

    @_once
    def request(self, data: Interactions) -> RecommendRequest:
        """What the model is asked, whatever is open: views that differ in nothing else get the same list."""
        by_hand = self.user == YOU
        return RecommendRequest(
            user=None if by_hand else self.user,
            history=tuple(Event(*pick) for pick in picks.events(data, self.films)) if by_hand else None,
            further=tuple(Event(*pair) for pair in opinions.events(data, self.said)),
            masked=tuple(self._whole(data).alike(self.without).tolist()) if self.without else (),
            muted=tuple(sorted(self.muted)),
            k=self.k,
            exclude=opinions.hidden(self.said),
            seen=self.seen,
        )

    # --- the address --------------------------------------------------------------------------------------------------

    def to_query(self, data: Interactions) -> dict[str, str]:
        """The query parameters of this view; what is as at first is left out."""
        start = View(self.user, self.model)
        texts = {
            "user": self.user,
            "model": self.model,
            "k": str(self.k),
            FILMS: picks.write(self.films) if self.films else "",
            "said": opinions.write(self.said),
            "muted": _joined(self.muted),
            "without": _joined(_tokens(data, self)),
            "item": self.item,
            **{name: str(getattr(self, name)) for name in HOW_OPEN if getattr(self, name) != getattr(start, name)},
            EXACT: "1" if self.exact else "",
        }
        return {name: text for name in PARAMETERS if (text := texts.get(name))}

    @classmethod
    def from_query(
        cls, params: Mapping[str, str], data: Interactions, models: Mapping[str, object], seen: str = "drop"
    ) -> tuple[View, list[Complaint]]:
        """The view that `params` stand for, and what of them was not followed. Never raises for any text."""
        reader = _Reader(params, data)
        start = cls(data.user_ids[0], next(iter(models)))
        user = reader.one("user", lambda text: text == YOU or reader.knows_user(text)) or start.user
        view = cls(
            user,
            reader.one("model", lambda text: text in models) or start.model,
            int(
                reader.one("k", lambda text: bool(re.fullmatch("[1-9][0-9]?", text)) and int(text) <= MOST_K) or start.k
            ),
            films=reader.films(),
            said=reader.said(),
            muted=reader.several("muted")[:MOST_MUTED],
            item=reader.one("item", reader.knows_item) if params.get("item") else None,
        )
        view = replace(
            view,
            without=reader.without(view),
            # how much is open is no question: what nobody would have written is left out without a word
            depth=reader.quietly("depth", DEPTHS.__contains__) or start.depth,
            tab=MOVED.get(tab := params.get("tab", ""), tab if tab in TABS else start.tab),
            versus=reader.quietly("versus", reader.knows_item),
            block=reader.quietly("block", lambda text: 0 < len(text) <= LONGEST_BLOCK),
            event=reader.quietly("event", reader.knows_item),
            boxes=int(reader.quietly("boxes", lambda text: bool(re.fullmatch("[1-9][0-9]{0,4}", text))) or start.boxes),
            exact=params.get(EXACT) == "1",
            seen=seen,
        )
        return view, reader.complaints


def _joined(names: Iterable[str]) -> str:
    """Names as one parameter, with commas between them; a comma inside of one is written %2C."""
    return ",".join(name.replace("%", "%25").replace(",", "%2C") for name in names)


class _Reader:
    """The parameters of one address, read with suspicion; every one that will not do leaves a complaint."""

    def __init__(self, params: Mapping[str, str], data: Interactions) -> None:
        self.params, self.data = params, data
        self.complaints: list[Complaint] = []

    def complain(self, name: str, got: str, must: str = "") -> None:
        self.complaints.append(Complaint(name, must or name, shown(got)))

    def knows_user(self, user: str) -> bool:
        return _is_known(self.data.user_row, user)

    def knows_item(self, item: str) -> bool:
        return _is_known(self.data.item_row, item)

    def quietly(self, name: str, holds: Callable[[str], bool]) -> str | None:
        """The text of a parameter; None where there is none, or it will not do."""
        text = self.params.get(name)
        return text if text is not None and holds(text) else None

    def one(self, name: str, holds: Callable[[str], bool]) -> str | None:
        """The same, with a complaint."""
        found = self.quietly(name, holds)
        if found is None and name in self.params:
            self.complain(name, self.params[name])
        return found

    def several(self, name: str) -> tuple[str, ...]:
        """The parts of a parameter, each once."""
        return tuple(dict.fromkeys(unquote(part) for part in self.params.get(name, "").split(",") if part))

    def items(self, name: str) -> tuple[str, ...]:
        ids = self.several(name)
        known = [item for item in ids if self.knows_item(item)]
        if len(known) < len(ids):
            self.complain(name, next(item for item in ids if item not in known), "items")
        return tuple(known[:MOST_PICKS])

    def films(self) -> Picks:
        """The picks, as links are written now or as they were once."""
        link = self.params.get(FILMS, "")
        try:
            found = picks.read(link) if link else ()
        except InputError:
            self.complain(FILMS, link)
            found = ()
        known = tuple(pick for pick in found if self.knows_item(pick[0]))
        if len(known) < len(found):
            self.complain(FILMS, next(item for item, _ in found if not self.knows_item(item)))
        return known or picks.of_thumbs(*(self.items(name) for name in THUMBS))[-MOST_PICKS:]

    def said(self) -> Opinions:
        text = self.params.get("said", "")
        try:
            said = opinions.read(text)
        except InputError:
            self.complain("said", text)
            return ()
        known = tuple((item, kind) for item, kind in said if self.knows_item(item))
        if len(known) < len(said):
            self.complain("said", next(pair[0] for pair in said if pair not in known))
        return known

    def without(self, view: View) -> tuple[int, ...]:
        """Positions of the events that the tokens name, in their order."""
        tokens = self.several("without")
        if not tokens:
            return ()
        history = view.events(self.data) if view.is_whole(self.data) else None
        named = {token: _positions(self.data, history, token) for token in tokens}
        strange = [token for token, positions in named.items() if not positions]
        if strange:
            self.complain("without", strange[0])
        return tuple(dict.fromkeys(position for positions in named.values() for position in positions))


def _is_known(row_of: Callable[[str], int], name: str) -> bool:
    try:
        row_of(name)
    except InputError:
        return False
    return True


def _positions(data: Interactions, history: History | None, token: str) -> list[int]:
    if history is None:
        return []
    if re.fullmatch("~[0-9]{1,9}", token):
        position = int(token[1:])
        row = history.item[position] if position < len(history) else -1
    else:
        row = data.item_row(token) if _is_known(data.item_row, token) else -1
    return [int(p) for p in np.flatnonzero(history.item == row)[-1:]]  # the newest stands for all


def _tokens(data: Interactions, view: View) -> list[str]:
    """Each item that is left out by its id; by the position of its newest event where the id looks like a position."""
    if not view.without:
        return []
    item, ids = view.events(data).item, data.items.ids
    return [f"~{p}" if ids[item[p]].startswith("~") else ids[item[p]] for p in view.without]
