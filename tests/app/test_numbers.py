"""Every number that the recommendations page shows is the library's: 200 people of the bundled data, a page for each.

What a page must say is written down here from the library alone: `recommend`, `explain`, and what a ledger answers. The
page is then read from top to bottom. Each text that holds a digit must be one of those, and each of those must stand
there; each table must hold the ledger's numbers; each chart must be drawn from those of its table. All tabs are open,
so that one run shows everything. Every second page is Chinese; the depths of the words take turns; and so do the cases:
an item of the list, an item outside it, an event left out.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections import Counter
from copy import copy
from functools import cache
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import streamlit
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from tests.app.conftest import PAGE, sound, visited
from xattn import History, HybridAttention, Interactions, Ledger, load_dataset
from xattn.app import state
from xattn.app.picture.words import short
from xattn.app.recommend import cards, picture, reasons, units, what_if, why, why_details
from xattn.app.recommend.heads import shares
from xattn.app.recommend.why_details import comparison
from xattn.app.ui.text import safe
from xattn.app.ui.text import spoken as spoken_as
from xattn.explain.tell.words import joined, quotable
from xattn.i18n import LANGUAGES, numbers, t
from xattn.i18n.numbers import figure
from xattn.i18n.titles import natural
from xattn.recommenders import Recommender
from xattn.viz.charts import weight_chart
from xattn.viz.frames import heat_frame, waterfall_frame
from xattn.viz.names import column_name, genre_name, head_name

USERS, PARTS, SEED = 200, 4, 20261125
K, BOXES, ROWS, COLUMNS = 10, 8, 15, 9  # of a list; of a page at first; of a chart
DEPTHS = ("clause", "sentence", "paragraph")
CASES = ("listed", "outside", "without")
EXACT_EACH = 5  # of how many people one is asked for exact numbers too


spoken = ["en"]  # the language of the page that is read now: its titles are those of this language


@cache
def data_in(language: str) -> Interactions:
    return load_dataset("movielens-small").in_language(language)


def data() -> Interactions:
    return data_in(spoken[0])


@cache
def model_in(language: str) -> Recommender:
    if language == "en":
        return HybridAttention().fit(data_in("en"))
    twin = copy(model_in("en"))
    twin.data_ = data_in(language)
    return twin


def model() -> Recommender:
    return model_in(spoken[0])


# --- numbers as they are read -----------------------------------------------------------------------------------------


def four(x: float, sign: bool = False) -> str:
    """A number as the page prints it: no further from `x` than half a unit of its fourth digit."""
    text = figure(x, sign)
    read = float(text.replace("−", "-"))
    unit = 10.0 ** (math.floor(math.log10(abs(x))) - 3) if x else 0.0
    assert abs(read - x) <= 0.5000001 * unit, (text, x)
    return text


def same(x: Any) -> Any:
    """A cell to be compared: numbers may differ in the order in which their parts were added up."""
    return pytest.approx(x, rel=1e-9, abs=1e-12) if isinstance(x, float) else x


def percent(x: float) -> str:
    text = f"{x:.1%}"
    assert abs(float(text.rstrip("%")) - 100 * x) <= 0.0500001
    return text


def whole(x: float, sign: bool = False) -> str:
    """A share as the page prints it: no further from `x` than half a per cent."""
    text = numbers.percent(x)
    assert _is_percent(text, x), (text, x)
    return ("+" if sign and x >= 0 else "") + text


def largest(amounts: pd.Series, most: int = ROWS) -> tuple[pd.Series, pd.Series]:
    """(the largest in size, in the order given; the others); one alone is not left out."""
    size = amounts.abs().to_numpy()
    kept = np.sort(np.argsort(-size, kind="stable")[: most + (len(size) == most + 1)])
    return amounts.iloc[kept], amounts.drop(amounts.index[kept])


# --- one person's page ------------------------------------------------------------------------------------------------


class Case(NamedTuple):
    """What is asked of the page."""

    user: str
    item: str
    depth: str
    lang: str
    without: int | None  # a position in the history
    exact: bool = False

    @property
    def params(self) -> dict[str, str]:
        said = {"user": self.user, "item": self.item, "depth": self.depth, "lang": self.lang}
        if self.without is not None:
            said["without"] = data().items.ids[model().history(self.user).item[self.without]]
        if self.exact:
            said["exact"] = "1"
        return said


def case_of(number: int, user: str, draw: np.random.Generator) -> Case:
    kind = CASES[number % len(CASES)]
    rank = int(draw.integers(K, 4 * K)) if kind == "outside" else int(draw.integers(K))
    item = str(model().recommend(user=user, k=4 * K)["item"].iloc[rank])
    out = int(draw.integers(len(model().history(user)))) if kind == "without" else None
    return Case(user, item, DEPTHS[number // 2 % 3], LANGUAGES[number % 2], out)


class Open:
    """A tab that is open, whichever was chosen."""

    open = True

    def __init__(self, tab: Any) -> None:
        self.tab = tab

    def __enter__(self) -> None:
        self.tab.__enter__()

    def __exit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> Any:
        return self.tab.__exit__(*error)


@pytest.fixture
def all_tabs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundled data and its model, and every tab open. Nothing is searched for components: that takes the test
    driver half as long as a page."""
    plain = streamlit.tabs
    monkeypatch.setattr(streamlit, "tabs", lambda labels, **options: [Open(tab) for tab in plain(labels)])
    monkeypatch.setattr(state, "_fitted", lambda kind, name: model_in("en"))
    monkeypatch.setattr(BidiComponentManager, "discover_and_register_components", lambda self, **options: None)


def opened(case: Case) -> AppTest:
    page = sound(visited(PAGE, open="history", **case.params))
    assert not page.warning
    return page


class Expected:
    """What the library says for a case: the texts with digits, and the tables in their order."""

    def __init__(self, case: Case) -> None:
        self.case, self.lang = case, case.lang
        spoken[0] = case.lang
        self.full = model().history(case.user)
        self.history: History = self.full if case.without is None else self.full.without([case.without])
        self.served = model().recommend(history=self.history, k=K)
        self.why = self._explained(self.history, case.item)
        self.events = self.why.events()
        amounts = self.events["contribution"]
        self.size = float(amounts[amounts > 0].sum()) + max(self.why.base, 0.0)
        assert self.size > 0
        self.texts: list[str] = [*self._lines(), self._head(), *self._words(), *self._boxes(), *self._drop()]
        self.texts += [*self._compared(), *self._quiet()]
        if case.without is not None:
            title = data().items.titles[self.full.item[case.without]]
            self.texts.append(t("recommendations.left_out", self.lang, n=1, names=spoken_as(title, 60)))
            if case.exact:
                self.texts.append(t("why.without", self.lang, title=safe(title, 80)))
        self.tables = [self._seen(), self._sum(), self._heat(), self._events(), self._weights(), self._heads()]
        self.tables += self._versus()

    def say(self, x: float, sign: bool = True) -> str:
        """An amount of a chart: as it is, or as a share of all that speaks for the item."""
        return four(x, sign) if self.case.exact else whole(x / self.size, sign)

    def told(self, x: float) -> str:
        """An amount in a sentence: a share, and what it is a share of where that is asked for."""
        return whole(x / self.size) + (f" ({four(x, sign=True)})" if self.case.exact else "")

    def place(self, rank: int) -> str:
        return numbers.place(rank, self.lang)

    def _explained(self, history: History, item: str) -> Ledger:
        return model().explain(history=history, item=item, k=K)

    def title(self, item: str) -> str:
        return data().items.titles[data().item_row(item)]

    # --- texts ---

    def _lines(self) -> list[str]:
        """The list."""
        before = dict(model().recommend(user=self.case.user, k=K)[["item", "rank"]].itertuples(index=False))
        said = []
        for row in self.served.itertuples():
            badge = ""
            if row.item not in before:
                badge = f":blue-badge[{t('recommendations.new', self.lang)}] "
            elif before[row.item] != row.rank:
                colour = "blue" if before[row.item] > row.rank else "orange"
                badge = f":{colour}-badge[{t('recommendations.was', self.lang, rank=before[row.item])}] "
            small = self._reason(row.item, row.score)
            said.append(f"**{row.rank}** · {spoken_as(row.title, 70)}  \n{badge}:small[{small}]")
        if self.case.item not in set(self.served["item"]):
            rank, title = self._rank(self.history, self.case.item), spoken_as(self.title(self.case.item), 70)
            said.append(f"**{rank}** · {title}  \n:small[{t('recommendations.outside_short', self.lang, k=K)}]")
        return said

    def _reason(self, item: str, score: float) -> str:
        why = self._explained(self.history, item)
        sums = why.cells.groupby("position", sort=True)["contribution"].sum()
        exact = f" · {t('recommendations.score', self.lang, score=four(score))}" if self.case.exact else ""
        if not len(sums) or why.base >= sums.sum() or sums.max() <= 0:
            return t("recommendations.popular", self.lang) + exact
        title, rating = data().items.titles[self.history.item[sums.idxmax()]], self._rating(int(sums.idxmax()))
        share = whole(sums.max() / (sums[sums > 0].sum() + max(why.base, 0.0)))
        amount = f" ({four(sums.max(), sign=True)})" if self.case.exact else ""
        facts = {"title": spoken_as(title, 60), "rating": f" {safe(rating)}", "share": share}
        return t("recommendations.because_share", self.lang, **facts) + amount + exact

    def _rating(self, position: int) -> str:
        assert self.full.rating is not None
        return f"★ {four(float(self.full.rating[position]))}"

    def _head(self) -> str:
        """The item, its facts, and its place or what came of the removal."""
        facts = data().items.frame.iloc[data().item_row(self.case.item)]
        title, plain = self.title(self.case.item), data_in("en").items.titles[data().item_row(self.case.item)]
        about = [natural(plain)] if plain != title else []
        about += [f"{facts['year']:.0f}"] if np.isfinite(facts["year"]) else []
        if isinstance(facts["genres"], str) and facts["genres"]:
            genres = facts["genres"].split("|")
            about.append(t("words.and", self.lang).join(genre_name(genre, self.lang) for genre in genres))
        rank = self._rank(self.history, self.case.item)
        if self.case.without is not None:
            before = self._explained(self.full, self.case.item)
            announced = before.events().set_index("position")["rank_without"][self.case.without]
            assert announced == rank
            places = {"before": self.place(before.rank or 0), "announced": self.place(int(announced))}
            name = spoken_as(data().items.titles[self.full.item[self.case.without]], 60)
            place = t("shares.proof", self.lang, title=name, **places, happened=self.place(rank))
        elif rank > K:
            place = t("recommendations.outside", self.lang, k=K, rank=rank)
        else:
            place = t("shares.place", self.lang, place=self.place(rank), k=K)
        if self.case.exact and self.case.without is None:
            place += f" · {t('recommendations.score', self.lang, score=four(self.why.score))}"
        return f"**{spoken_as(title, 80)}** :small[:gray[{' · '.join(map(safe, about))}]]  \n{place}"

    def _rank(self, history: History, item: str) -> int:
        rank = self._explained(history, item).rank
        assert rank is not None
        return rank

    def _words(self) -> list[str]:
        why = self.why
        if self.case.exact:
            text = why.text(self.lang, depth=self.case.depth)
            if self.case.depth == "paragraph" and len(self.events) >= 5:
                share = self.events["weight"].to_numpy()
                share = share[share > 0] / share.sum()
                few = float(round(np.exp(-(share * np.log(share)).sum())))
                assert t("words.effective", self.lang, effective=four(few), n=len(self.events)) in text
        else:
            text = self._human()
        said = [safe(text, 5000), *self._puzzles(self.events["position"].head(3).tolist())]
        if self.case.item not in set(self.served["item"]):
            said.append(self._lacks())
        return said

    def _human(self) -> str:
        """The sentences without decimals."""
        if self.case.depth == "clause":
            return self.why.text(self.lang, depth="clause")
        blank = " " if self.lang == "en" else ""
        sentences = [self._carried()]
        best, rank = self.events.iloc[0], self._rank(self.history, self.case.item)
        if best["contribution"] > 0:
            there = int(best["rank_without"])
            facts = {"title": quotable(best["title"], self.lang), "now": self.place(rank), "then": self.place(there)}
            sentences.append(t("shares.moves" if there != rank else "shares.moves_not", self.lang, **facts))
        if self.case.depth == "paragraph":
            amounts = self.events["contribution"]
            sides = {"for": self.events[amounts > 0].head(3), "against": self.events[amounts < 0].iloc[::-1].head(3)}
            for side, rows in sides.items():
                names = [
                    t("words.named", self.lang, title=quotable(title, self.lang), amount=whole(x / self.size))
                    for title, x in zip(rows["title"], rows["contribution"], strict=True)
                ]
                if names:
                    facts = {"did": t("words.did.films", self.lang), "names": t("words.and", self.lang).join(names)}
                    sentences.append(t(f"words.{side}", self.lang, **facts))
            found = self.why.counterfactual()
            if found.found:
                names = joined(map(self.title, found.remove), self.lang)
                sentences.append(t("words.drop_alone", self.lang, names=names, k=K))
            notes = [note for note in ("popularity", "no_reason", "stays") if note in self.why.notes]
            sentences += [t(f"words.{note}", self.lang, k=K) for note in notes]
            if "short" in self.why.notes:
                sentences.append(t("words.short", self.lang, n=len(self.events)))
            sentences.append(t(f"words.confidence_{self.why.confidence.level}", self.lang, k=K))
        return blank.join(sentences)

    def _carried(self) -> str:
        """How few events carry the item; of one outside the list, where it is."""
        title = short(self.why.title)
        if self.case.item not in set(self.served["item"]):
            return t("picture.outside", self.lang, title=title, place=self.place(self.why.rank or 0))
        amounts = self.events["contribution"]
        carried = (amounts[amounts > 0].head(3).cumsum() / self.size).tolist()
        if not carried or self.why.base / self.size > 0.5:
            return t("picture.popular", self.lang, title=title, share=whole(self.why.base / self.size))
        few = next((n for n, share in enumerate(carried, 1) if share >= 0.75), len(carried))
        return t(f"picture.carry_{few}", self.lang, title=title, share=whole(carried[few - 1]))

    def _puzzles(self, positions: list[int]) -> list[str]:
        """Contributions and removals that point the same way, at most two."""
        said = []
        for position, row in self.events.set_index("position").loc[positions].iterrows():
            x, effect = row["contribution"], row["effect"]
            if x * effect > 0 and min(abs(x), abs(effect)) > 0.02 * self.size:
                title = spoken_as(data().items.titles[self.full.item[position]], 60)
                said.append(t("picture.odd" if x > 0 else "picture.odd_against", self.lang, title=title))
        return said[:2]

    def _lacks(self) -> str:
        """Of an item outside the list: how far it is from it, and what would bring it in."""
        found = self.why.why_not()
        if self.case.exact:
            return safe(found.text(self.lang), 2000)
        last = self.served.iloc[-1]
        share, blank = whole(max(self.why.score, 0.0) / last["score"]), " " if self.lang == "en" else ""
        said = t("shares.lacks", self.lang, share=share, cutoff=spoken_as(last["title"], 60), k=K)
        if not found.added.found:
            return said + blank + t("shares.brings_none", self.lang, n=found.added.tried)
        names = t("words.and", self.lang).join(
            t("words.plain", self.lang, title=spoken_as(title, 60)) for title in found.added.titles
        )
        return said + blank + t("shares.brings", self.lang, names=names, place=self.place(found.added.rank_after or 0))

    def _boxes(self) -> list[str]:
        """Tick boxes, in the order of the full history; one of them is served again."""
        full = self._explained(self.full, self.case.item).events()
        order = np.argsort(-full["contribution"].abs().to_numpy(), kind="stable")[:BOXES]
        live = self.events.set_index("position")
        said = []
        for place, position in enumerate(full["position"].iloc[order]):
            if position in live.index:
                row = live.loc[position]
                score, rank = float(row["score_without"]), int(row["rank_without"])
                if place == 0:
                    rest = self.history.without([int(position)])
                    again = float(model().score(history=rest)[data().item_row(self.case.item)])
                    assert four(again) == four(score)
                    assert self._rank(rest, self.case.item) == rank
                says = t("why.then", self.lang, score=four(score), rank=rank)
                if not self.case.exact:
                    key = "shares.then_same" if rank == self._rank(self.history, self.case.item) else "shares.then"
                    says = t(key, self.lang, place=self.place(rank))
            else:
                rank = self._rank(self.history, self.case.item)
                says = t("shares.happened", self.lang, announced=self.place(rank), happened=self.place(rank))
            said.append(f"{spoken_as(data().items.titles[self.full.item[position]], 60)}  \n:small[:gray[{says}]]")
        if len(full) > BOXES:
            said.append(t("why.more", self.lang, n=min(25, len(full) - BOXES)))
        return said

    def _drop(self) -> list[str]:
        found = self.why.counterfactual()
        if not found.found:
            return []
        rest = self.history.without(list(found.positions))
        assert self._rank(rest, self.case.item) == found.rank_after
        names = t("words.and", self.lang).join(
            t("words.plain", self.lang, title=spoken_as(title, 80))
            for title in dict.fromkeys(map(self.title, found.remove))
        )
        facts = {"names": names, "place": self.place(found.rank_after or 0), "k": K}
        if found.replaced_by is None:
            says = t("shares.drop_alone", self.lang, **facts)
        else:
            assert found.replaced_by in set(model().recommend(history=rest, k=K)["item"])
            says = t("shares.drop", self.lang, **facts, replacement=spoken_as(self.title(found.replaced_by), 80))
        if len(found.positions) > 1:
            says += f" :gray[{t('words.smallest' if found.exact else 'words.not_smallest', self.lang)}]"
        return [says]

    def _compared(self) -> list[str]:
        said, apart = self._puzzles(self.events["position"].tolist()), self._apart()
        if apart is None:
            return said
        looked, moving = self.events.iloc[apart[0]], self.events.iloc[apart[1]]
        ends = [whole(looked["weight"]), self.told(moving["effect"])]
        if self.case.exact:
            ends[1] = four(moving["effect"], sign=True) if self.size <= 0 else ends[1]
        both = [
            f":violet-badge[{t(f'why.most_{what}', self.lang)}] {spoken_as(row['title'], 60)} ({end})"
            for what, row, end in zip(("looked", "moving"), (looked, moving), ends, strict=True)
        ]
        return [*said, "  \n".join(both)]

    def _quiet(self) -> list[str]:
        """Heads that get much attention and give little."""
        cells = self.why.cells.drop_duplicates(["head", "position"])
        weight = cells.groupby("head")["weight"].sum()
        sums = self.why.by("head").set_index("head")["contribution"]
        said = []
        for head in sums.index:
            attention, share = weight[head] / weight.sum(), abs(sums[head]) / sums.abs().sum()
            if attention >= 0.1 and share < attention / 4:
                facts = {"weight": whole(attention), "share": whole(share)}
                line = t("shares.quiet", self.lang, name=safe(head_name(head, self.lang)), **facts)
                said.append(f":material/visibility: {line}")
        return said

    def _apart(self) -> tuple[int, int] | None:
        """The rows of most weight and of most effect, where the ledger says that the two disagree."""
        if "disagree" not in self.why.notes:
            return None
        return int(self.events["weight"].argmax()), int(self.events["effect"].abs().argmax())

    # --- tables: what stands in them, as it is read ---

    def _seen(self) -> list[list[Any]]:
        rating = self.full.rating
        assert rating is not None
        titles = [natural(data().items.titles[row])[:200] for row in self.full.item[::-1]]
        return [[title, x] for title, x in zip(titles, rating[::-1], strict=True)]

    def _sum(self) -> list[list[Any]]:
        return self._waterfall(self.events, "contribution", self.why.base, self.why.score, "chart.score")

    def _waterfall(self, events: pd.DataFrame, name: str, base: float, total: float, end: str) -> list[list[Any]]:
        kept, rest = largest(events[name].reset_index(drop=True))
        titles = events["title"].tolist()
        rows = [[t("chart.base", self.lang), self.say(base, False)]]
        rows += [[titles[i], self.say(x)] for i, x in kept.items()]
        if len(rest):
            rows.append([t("chart.rest", self.lang, n=len(rest)), self.say(rest.sum())])
        assert base + events[name].sum() == pytest.approx(total, abs=1e-6)
        return [*rows, [t(end, self.lang), self.say(total, False)]]

    def _heat(self) -> list[list[Any]]:
        kept, rest = largest(self.events.set_index("position")["contribution"])
        titles = dict(zip(self.events["position"], self.events["title"], strict=True))
        row_of = {p: (i, titles[p]) for i, p in enumerate(kept.index)}
        others = (len(kept), t("chart.rest", self.lang, n=len(rest)))
        cells = pd.DataFrame(
            {
                "row": [row_of.get(p, others) for p in self.why.cells["position"]],
                "column": [
                    column_name(head, feature, self.lang)
                    for head, feature in self.why.cells[["head", "feature"]].itertuples(index=False)
                ],
                "amount": self.why.cells["contribution"].to_numpy(),
            }
        )
        size = cells["amount"].abs().groupby(cells["column"], sort=False).sum()
        size = size[size > 0].sort_values(ascending=False, kind="stable")
        most = COLUMNS if len(size) > COLUMNS + 1 else len(size)
        places = {name: min(i, most) for i, name in enumerate(size.index)}
        cells = cells[cells["column"].isin(size.index)]
        names = [*size.index[:most], t("chart.rest_columns", self.lang, n=len(size) - most)]
        sums = cells["amount"].groupby([cells["row"], cells["column"].map(places)]).sum()
        return [[row[1], names[place], self.say(x)] for (row, place), x in sorted(sums.items())]

    def _events(self) -> list[list[Any]]:
        apart = self._apart()
        columns = ["weight", "contribution", "effect", "score_without", "rank_without", "rating"]
        events = self.events
        if not self.case.exact:
            columns.remove("score_without")
            events = events.assign(contribution=events["contribution"] / self.size, effect=events["effect"] / self.size)
        rows = [[natural(row["title"]), *(row[name] for name in columns)] for row in events.to_dict(orient="records")]
        if apart is not None:
            for at, row in enumerate(rows):
                says = [
                    t(f"why.most_{what}", self.lang)
                    for what, i in zip(("looked", "moving"), apart, strict=True)
                    if i == at
                ]
                row.insert(1, "".join(says))
        return rows

    def _weights(self) -> list[list[Any]]:
        order = np.argsort(-self.events["weight"].to_numpy(), kind="stable")[:ROWS]
        return [[row["title"], percent(row["weight"])] for _, row in self.events.iloc[order].iterrows()]

    def _heads(self) -> list[list[Any]]:
        sums = self.why.by("head").set_index("head")["contribution"]
        weight = self.why.cells.drop_duplicates(["head", "position"]).groupby("head")["weight"].sum()
        attention, share = weight / weight.sum(), sums.abs() / sums.abs().sum()
        per = 1.0 if self.case.exact else self.size
        rows = [
            [head_name(head, self.lang), sums[head] / per, whole(attention[head]), whole(share[head])]
            for head in sums.index
        ]
        return sorted(rows, key=lambda row: -abs(row[1]))

    def _versus(self) -> list[list[list[Any]]]:
        others = [item for item in self.served["item"] if item != self.case.item]
        other = self._explained(self.history, others[0])
        apart = self.why - other
        self.texts.append(safe(apart.text(self.lang) if self.case.exact else self._side_by_side(other), 2000))
        sums = [why.cells.groupby("position")["contribution"].sum() for why in (self.why, other)]
        differs = sums[0].sub(sums[1], fill_value=0.0)
        rows = apart.events().iloc[1:]
        for position, x in zip(rows[["position_a", "position_b"]].max(axis=1), rows["difference"], strict=True):
            assert differs[position] == pytest.approx(x, abs=1e-9)
        base, total = self.why.base - other.base, self.why.score - other.score
        return [self._waterfall(rows, "difference", base, total, "why.difference")]

    def _side_by_side(self, other: Ledger) -> str:
        """Two items in places, and what sets them apart most, in shares of what speaks for the first."""
        ledgers: dict[str, Ledger] = {"a": self.why, "b": other}
        facts: dict[str, str] = {}
        for name, own in ledgers.items():
            facts |= {name: quotable(own.title, self.lang), f"place_{name}": self.place(own.rank or 0)}
        sentences = [t("shares.side_by_side", self.lang, **facts)]
        rows = (self.why - other).events().iloc[1:]
        moved = rows["difference"]
        for key, part in (("words.gap_more", rows[moved > 0].head(3)), ("words.gap_less", rows[moved < 0].head(3))):
            names = [
                t("words.named", self.lang, title=quotable(title, self.lang), amount=whole(x / self.size))
                for title, x in zip(part["title"], part["difference"], strict=True)
            ]
            if names:
                sentences.append(t(key, self.lang, names=t("words.and", self.lang).join(names)))
        return (" " if self.lang == "en" else "").join(sentences)

    def reasons(self) -> list[list[str]]:
        """Three reasons and the rest, as the table says it."""
        events, found = self.events, []
        best = events[events["contribution"] > 0].head(3)
        for _, row in best.iterrows():
            then = self.place(int(row["rank_without"]))
            then += f" ({four(row['score_without'])})" if self.case.exact else ""
            rating = safe(self._rating(int(row["position"])))
            found.append([f"**{spoken_as(row['title'], 60)}**", rating, self._coloured(row["contribution"]), then])
        others = events.drop(best.index)["contribution"]
        more, less = others[others > 0], others[others < 0]
        if len(more):
            found.append([t("shares.rest", self.lang, n=len(more)), "", self._coloured(more.sum()), ""])
        if self.why.base:
            found.append([t("picture.base", self.lang), "", self._coloured(self.why.base), ""])
        if len(less):
            found.append([t("shares.against", self.lang, n=len(less)), "", self._coloured(less.sum()), ""])
        return found

    def _coloured(self, x: float) -> str:
        return f":{'blue' if x >= 0 else 'orange'}[{safe(self.told(x))}]"

    # --- the picture ---

    def check_picture(self, told: dict[str, Any]) -> None:
        """Of the first item and of the case's own: its place, its shares, what is announced for each event, and the
        sentence that counts the few that carry it."""
        items = [*self.served["item"], *({self.case.item} - set(self.served["item"]))]
        assert [item["id"] for item in told["items"]] == items
        keys = [row["key"] for row in told["rows"]]
        for item in {items[0], self.case.item}:
            at, why = items.index(item), self._explained(self.history, item)
            assert told["items"][at]["rank"] == str(why.rank)
            events = why.events().set_index("position")
            amounts = events["contribution"]
            size = amounts[amounts > 0].sum() + max(why.base, 0.0)
            own = [int(key) for key in keys if key.isdecimal()]
            expected = {str(p): amounts.get(p, 0.0) for p in own}
            expected |= {"rest": amounts.drop(own, errors="ignore").sum(), "base": why.base}
            for row, key in enumerate(keys):
                assert _is_percent(told["shares"][row][at], expected[key] / size), (item, key)
                if key.isdecimal() and int(key) in events.index:
                    assert numbers.place(int(events["rank_without"][int(key)]), self.lang) in told["then"][row][at]
            carried = amounts[amounts > 0].head(3).cumsum() / size
            shares = re.findall("[0-9]+%", told["items"][at]["say"].replace(why.title, ""))
            if shares and why.base / size <= 0.5:
                assert any(_is_percent(shares[0], share) for share in carried)


def _is_percent(text: str, share: float) -> bool:
    """A share as it is read: whole per cent, less than one said in words, or no text for none at all."""
    if not text or "<" in text:
        return abs(share) <= 0.005 and ("−" in text) == (share < 0 and bool(text))
    return abs(float(text.rstrip("%").replace("−", "-")) - 100 * share) <= 0.5001


# --- reading the page -------------------------------------------------------------------------------------------------


def texts(page: AppTest) -> Counter[str]:
    """Every text of the page that holds a digit, but for the names of a chart's files and the tables."""
    said = [element.value for group in (page.markdown, page.caption, page.info, page.success) for element in group]
    said += [element.label for group in (page.checkbox, page.button, page.toggle, page.expander) for element in group]
    return Counter(text for text in said if re.search("[0-9]", text))


def rows(frame: pd.DataFrame) -> list[list[Any]]:
    return [list(row) for row in frame.itertuples(index=False)]


def drawn(page: AppTest) -> list[list[str]]:
    """The printed amounts that each chart is made from, one list a chart."""
    found = []
    for chart in page.get("vega_lite_chart"):
        frames = [pa.ipc.open_stream(io.BytesIO(data.data.data)).read_pandas() for data in chart.proto.datasets]
        longest = max(frames, key=len)
        found.append(longest["text" if "text" in longest else "value"].tolist())
    return found


def check(page: AppTest, case: Case) -> None:
    expected = Expected(case)
    history = t("recommendations.history", case.lang, n=len(expected.full))
    heads = [
        safe(head_name(name, case.lang)) for name in model().explain(user=case.user, item=case.item).by("head")["head"]
    ]
    said = Counter(text for text in [history, *heads, *expected.texts] if re.search("[0-9]", text))
    assert texts(page) == said
    seen, *tables = [rows(frame.value) for frame in page.dataframe]
    assert [[title, rating] for title, _, rating in seen] == expected.tables[0]
    assert len(tables) == len(expected.tables) - 1
    for own, shown in zip(expected.tables[1:], tables, strict=True):
        assert [list(map(same, row)) for row in shown] == own
    waterfall, heat, weights, shares, versus = drawn(page)
    for chart, table in ((waterfall, 1), (heat, 2), (weights, 4), (versus, 6)):
        assert chart == [row[-1] for row in expected.tables[table]]
    assert [same(x) for x in shares] == [row[1] for row in expected.tables[5]]
    drawing, removals = (json.loads(one.proto.mixed.json or one.proto.json) for one in page.get("bidi_component"))
    expected.check_picture({**drawing, **removals})
    first, *further = page.table
    assert rows(first.value) == expected.reasons()
    assert bool(further) == (case.exact and case.without is not None)
    if further:
        (table,) = further
        before = model().explain(user=case.user, item=case.item, k=K)
        row = before.events().set_index("position").loc[case.without]
        told = [
            [before.score, before.rank],
            [row["score_without"], row["rank_without"]],
            [expected.why.score, expected.why.rank],
        ]
        assert [list(cells[1:]) for cells in rows(table.value)] == [[four(x), f"{rank:.0f}"] for x, rank in told]


# --- the people -------------------------------------------------------------------------------------------------------


@cache
def cases() -> list[Case]:
    draw = np.random.default_rng(SEED)
    users = draw.choice(data().n_users, USERS, replace=False)
    return [case_of(number, data().user_ids[user], draw) for number, user in enumerate(users)]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_number_of_two_hundred_people_is_the_librarys(all_tabs: None, part: int) -> None:
    """In shares and places; of every fifth person the exact numbers behind the switch too."""
    for number, case in enumerate(cases()[part::PARTS]):
        check(opened(case), case)
        if number % EXACT_EACH == 0:
            check(opened(case._replace(exact=True)), case._replace(exact=True))


# --- the check itself -------------------------------------------------------------------------------------------------


def wrong(x: float, sign: bool = False) -> str:
    """A number that is a thousandth too large."""
    return figure(1.001 * x, sign)


plain_scene = picture._scene


def crooked(*given: Any) -> dict[str, Any]:
    """A picture whose first share is another."""
    told: dict[str, Any] = plain_scene(*given)
    return {**told, "shares": [["7%", *told["shares"][0][1:]], *told["shares"][1:]]}


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "score of a line": (cards, "figure", wrong),
    "share of a line": (cards, "percent", lambda x: numbers.percent(x + 0.01)),
    "own rating": (cards, "own_rating", lambda rating, scale: "★ 1"),
    "box": (what_if, "figure", wrong),
    "place": (what_if, "rank_words", lambda rank, lang: numbers.place((rank or 0) + 1, lang)),
    "reason": (reasons, "percent", lambda x: numbers.percent(x + 0.01)),
    "share of a reason": (units, "percent", lambda x: numbers.percent(x + 0.01)),
    "year": (why, "about", lambda data, row, lang="en": ["1066"]),
    "waterfall": (
        why_details,
        "waterfall_frame",
        lambda events, base, *given, **named: waterfall_frame(events, base * 1.001, *given, **named),
    ),
    "heat map": (
        why_details,
        "heat_frame",
        lambda cells, *given, **named: heat_frame(cells.iloc[::2], *given, **named),
    ),
    "chart": (why_details, "weight_chart", lambda frame, lang: weight_chart(frame.assign(text="1.0%"), lang)),
    "effect": (why_details, "comparison", lambda events, *given: comparison(events.assign(effect=0.1), *given)),
    "share of the picture": (picture, "_scene", crooked),
    "share": (why_details, "shares", lambda ledger: shares(ledger).assign(share=0.5)),
    "more than is known": (why, "_drop", lambda *given: streamlit.caption("7")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_number_is_found(all_tabs: None, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    case = next(case for case in cases() if case.depth == "paragraph" and case.without is None)
    case = case._replace(exact=fault not in ("place", "reason"))
    check(opened(case), case)
    monkeypatch.setattr(*FAULTS[fault])
    page = opened(case)
    with pytest.raises(AssertionError):
        check(page, case)
