"""The ledger in words: sentences from the catalogue, filled with the ledger's own numbers and titles, and nothing else.

Three depths: a clause ("because you watched …"), a sentence, a paragraph. The paragraph says what the score is made of,
what speaks for it and against, what a removal does, what would drop it, then the honest cases and how sure the reasons
are (`honesty.py`). What a person did with an item is a verb of the scenario. Each text can be read back
(`testing/claims.py`): titles lose quotation marks of the kind that they stand in, so that it is plain where they end.

A ledger whose amounts are not terms of our models (`Ledger.amounts`) has sentences of its own wherever the usual ones
would say more than its amounts do (`worded`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from xattn.errors import check_choice
from xattn.explain.honesty import SHORT_HISTORY, disagreement
from xattn.explain.parts import shared_parts
from xattn.explain.question import TERMS
from xattn.explain.rows import feature_sums, rated_low
from xattn.i18n import LANGUAGES, is_text, t
from xattn.i18n.numbers import figure
from xattn.i18n.titles import natural
from xattn.viz.names import feature_name

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = [
    "DEPTHS", "SCENARIOS", "both_say", "joined", "ledger_text", "named", "quotable", "short_title", "spaced",
    "weight_and_effect_disagree", "worded",
]  # fmt: skip

DEPTHS = ("clause", "sentence", "paragraph")
SCENARIOS = (
    "films", "shop", "books", "music", "news", "social", "education", "health", "finance", "home", "travel", "cars",
    "items",
)  # fmt: skip
MOST_NAMES = 3
FEW_NAMES = 2  # in a clause or a sentence
LONGEST_TITLE = 80
TELLING = 0.1  # of all contributions: the least share of features that the text mentions
INNER = {"en": str.maketrans("“”", "‘’"), "zh": str.maketrans("《》“”", "〈〉‘’")}


def short_title(title: str) -> str:
    """A title that fits a sentence: at most 80 characters."""
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"


def quotable(title: str, lang: str) -> str:
    """A title as it stands between quotation marks: as people say it, short, with inner marks in the place of outer.

    >>> quotable("The “Best” of 《W》", "en"), quotable("The “Best” of 《W》", "zh")
    ('The ‘Best’ of 《W》', 'The ‘Best’ of 〈W〉')
    """
    return short_title(natural(title)).translate(INNER[lang])


def weight_and_effect_disagree(events: pd.DataFrame) -> tuple[int, int] | None:
    """Rows (most looked at, most moving when masked) of an events frame where they differ, else None."""
    return disagreement(events["weight"].to_numpy(), events["effect"].to_numpy())


def named(titles: Iterable[str], amounts: Iterable[float], lang: str, times: Iterable[int] | None = None) -> str:
    """Titles with their signed amounts, one after the other, and how often each was met if that is more than once."""
    said = []
    for title, amount, often in zip(titles, amounts, repeat(1) if times is None else times, strict=False):
        facts = {"title": quotable(title, lang), "amount": figure(amount, sign=True), "times": often}
        said.append(t("words.named_times" if often > 1 else "words.named", lang, **facts))
    return t("words.and", lang).join(said)


def joined(titles: Iterable[str], lang: str) -> str:
    """Titles in quotation marks, the last one after an "and"."""
    quoted = [t("words.plain", lang, title=quotable(title, lang)) for title in titles]
    head, last = t("words.and", lang).join(quoted[:-1]), quoted[-1]
    return head + t("words.and_last", lang) + last if head else last


def spaced(sentences: Iterable[str], lang: str) -> str:
    """Sentences as one text."""
    return (" " if lang == "en" else "").join(sentences)


@cache
def worded(key: str, amounts: str) -> str:
    """The sentence that `key` stands for in a ledger of these amounts: one of its own, one that all ledgers of foreign
    models share, or the usual one.

    >>> worded("words.score", "terms"), worded("words.score", "average"), worded("words.for", "sum")
    ('words.score', 'words.foreign.score', 'words.for')
    """
    if amounts == TERMS:
        return key
    name = key.removeprefix("words.")
    return next((own for own in (f"words.{amounts}.{name}", f"words.foreign.{name}") if is_text(own)), key)


def ledger_text(ledger: Ledger, lang: str, depth: str, scenario: str) -> str:
    """The text of a ledger; the arguments are those of `Ledger.text`."""
    check_choice("lang", lang, LANGUAGES)
    check_choice("depth", depth, DEPTHS)
    check_choice("scenario", scenario, SCENARIOS)
    texts = _Texts(ledger, lang, scenario)
    if depth == "clause":
        return texts.clause()
    return texts.sentence() if depth == "sentence" else spaced(texts.paragraph(), lang)


def both_say(ledger: Ledger, lang: str, reasons: np.ndarray | None = None) -> list[str]:
    """The words, or other parts, that the first of the `reasons` (rows of `Ledger.rows`; else the first of all) and the
    item have in common, as a sentence; none where nothing speaks for the item by its parts."""
    rows = ledger.rows
    first = next(iter(np.flatnonzero(rows.contribution > 0) if reasons is None else reasons), None)
    found = None if first is None else shared_parts(ledger, int(rows.position[first]))
    if found is None:
        return []
    words = [t("words.said", lang, word=quotable(name, lang)) for name in found.names[:FEW_NAMES]]
    titles = {"title": quotable(found.title, lang), "replacement": quotable(ledger.title, lang)}
    key = worded("words.both_say" if found.words else "words.alike_in", ledger.amounts)
    return [t(key, lang, **titles, names=t("words.and_last", lang).join(words))]


class _Texts:
    """The texts of one ledger in one language."""

    def __init__(self, ledger: Ledger, lang: str, scenario: str) -> None:
        self.ledger = ledger
        self.lang = lang
        self.did = t(f"words.did.{scenario}", lang)
        self.rows = ledger.rows
        self.without = ledger.without_each
        self.notes = ledger.notes
        self.low = rated_low(ledger.history.rating, len(ledger.history), ledger.scorer.data_.scale)

    def say(self, key: str, **values: object) -> str:
        return t(worded(key, self.ledger.amounts), self.lang, **values)

    def quoted(self, title: str) -> str:
        return quotable(title, self.lang)

    def title_at(self, position: int) -> str:
        return self.ledger.title_at(position)

    # --- a clause, a sentence -----------------------------------------------------------------------------------------

    def _kind(self, row: int) -> str:
        """How a reason speaks: it counts as a dislike; it was rated low and counts all the same; or neither."""
        if not self.rows.liked[row]:
            return "disliked"
        return "although" if self.low[self.rows.position[row]] else "for"

    def _reasons(self) -> np.ndarray:
        """Rows of the first reasons, all of one kind."""
        count = int(np.count_nonzero(self.rows.contribution > 0))
        alike = [i for i in range(count) if self._kind(i) == self._kind(0)]
        return np.array(alike[:FEW_NAMES], dtype=np.int64)

    def _case(self) -> str:
        """Which clause or sentence holds: for, although, disliked, popular, none."""
        if "popularity" in self.notes:
            return "popular"
        if "no_reason" in self.notes:
            return "none"
        return self._kind(0)

    def clause(self) -> str:
        first = self.rows.position[self._reasons()] if self._has_reasons else []
        names = joined((self.title_at(p) for p in first), self.lang) if len(first) else ""
        return self.say(f"words.clause_{self._case()}", did=self.did, names=names)

    @property
    def _has_reasons(self) -> bool:
        return self._case() in ("for", "although", "disliked")

    def sentence(self) -> str:
        ledger, case, first = self.ledger, self._case(), self._reasons()
        facts: dict[str, object] = {"score": figure(ledger.score), "base": figure(ledger.base), "did": self.did}
        if self._has_reasons:
            facts["names"] = joined((self.title_at(p) for p in self.rows.position[first]), self.lang)
            facts["amount"] = figure(float(self.rows.contribution[first].sum()), sign=True)
        listed = case == "none" or (ledger.rank is not None and ledger.rank <= ledger.k)
        if not listed:  # nobody is told that what is not there is here
            return self.say(f"words.outside_{case}", **facts, k=ledger.k) + self._tail()
        return self.say(f"words.sentence_{case}", **facts) + self._tail()

    def _tail(self) -> str:
        """What the removal of the first reason does, or a full stop."""
        if not self._has_reasons:
            return self.say("words.tail_end")
        ledger, p = self.ledger, int(self.rows.position[0])
        facts = {"title": self.quoted(self.title_at(p)), "rank": int(self.without.rank[p]), "rank_now": ledger.rank}
        if ledger.rank is None:
            return self.say("words.tail_score", **facts, without=figure(float(self.without.score[p])))
        return self.say("words.tail_rank" if facts["rank"] != ledger.rank else "words.tail_same", **facts)

    # --- a paragraph --------------------------------------------------------------------------------------------------

    def paragraph(self) -> list[str]:
        sentences = self._made_of()
        if self.rows.contribution.any():
            sentences += [*self._orders(), *self._features(), *self._what_if()]
        return [*sentences, *self._honesty()]

    def _made_of(self) -> list[str]:
        ledger, rows, n = self.ledger, self.rows, self.rows.events
        facts = {"title": self.quoted(ledger.title), "score": figure(ledger.score), "base": figure(ledger.base)}
        if not rows.contribution.any():
            return [self.say("words.score_empty", **facts)]
        lift = figure(ledger.score - ledger.base, sign=True)
        sentences = [self.say("words.score" if n > 1 else "words.score_one", **facts, lift=lift, n=n)]
        speaks_for = np.flatnonzero(rows.contribution > 0)[:MOST_NAMES]
        against = np.flatnonzero(rows.contribution < 0)[::-1][:MOST_NAMES]
        for key, at in (("words.for", speaks_for), ("words.against", against)):
            if len(at):
                titles = (self.title_at(p) for p in rows.position[at])
                names = named(titles, rows.contribution[at].tolist(), self.lang, rows.times[at].tolist())
                sentences.append(self.say(key, did=self.did, names=names))
            if key == "words.for" and (low := [p for p in rows.position[at] if self.low[p]]):
                sentences.append(self.say("words.although", names=joined(map(self.title_at, low), self.lang)))
        return sentences

    def _features(self) -> list[str]:
        """The features that add most, where features are a telling part of the ledger; how few events matter."""
        groups = [group for group in feature_sums(self.ledger.heads, self.ledger.history.live) if group.name]
        moved = float(np.abs(self.rows.contribution).sum())
        sentences = []
        if sum(abs(group.contribution) for group in groups) >= TELLING * moved:
            most = sorted(groups, key=lambda group: -group.contribution)[:MOST_NAMES]
            spoken = [group for group in most if group.contribution > 0]
            if spoken:
                names = t("words.and", self.lang).join(
                    self.say(
                        "words.feature",
                        feature=self.quoted(feature_name(group.name, self.lang)),
                        amount=figure(group.contribution, sign=True),
                    )
                    for group in spoken
                )
                sentences += [
                    self.say("words.features", names=names),
                    *both_say(self.ledger, self.lang, self._reasons()),
                ]
        if len(self.rows.position) >= SHORT_HISTORY and self.ledger.amounts == TERMS:  # others pay no attention
            effective = figure(float(round(self.ledger.effective_events)))
            sentences.append(self.say("words.effective", effective=effective, n=len(self.rows.position)))
        return sentences

    def _orders(self) -> list[str]:
        """How many orders the averages are over, and how sure they are."""
        found = self.ledger.orders
        if found is None:
            return []
        if not found.orders:
            return [self.say("words.all_orders")]
        widths = self.ledger.intervals()
        within = figure(float((widths["high"] - widths["contribution"]).max()))
        return [self.say("words.orders", orders=found.orders, within=within)]

    def _what_if(self) -> list[str]:
        ledger, at = self.ledger, self.rows.position
        worst = int(at[np.argmin(self.without.score[at])])
        facts = {"title": self.quoted(self.title_at(worst)), "score": figure(float(self.without.score[worst]))}
        if ledger.rank is None:
            return [self.say("words.removal_unranked", **facts), self.say("words.unranked")]
        rank = int(self.without.rank[worst])
        moved = "words.removal" if rank != ledger.rank else "words.removal_same"
        return [self.say(moved, **facts, rank=rank, rank_now=ledger.rank), *self._drop()]

    def _drop(self) -> list[str]:
        ledger, found = self.ledger, self.ledger.counterfactual()
        if not found.found:
            return [self.say("words.stays", k=ledger.k)] if "stays" in self.notes else []
        names = joined(map(ledger.title_of, found.remove), self.lang)
        if found.replaced_by is None:
            sentences = [self.say("words.drop_alone", names=names, k=ledger.k)]
        else:
            replacement = self.quoted(ledger.title_of(found.replaced_by))
            sentences = [self.say("words.drop", names=names, k=ledger.k, replacement=replacement)]
        if len(found.remove) > 1:
            sentences.append(self.say("words.smallest" if found.exact else "words.not_smallest"))
        return sentences

    def _honesty(self) -> list[str]:
        sentences, n = [], self.rows.events
        for note, key in (("popularity", "words.popularity"), ("no_reason", "words.no_reason")):
            if note in self.notes and self.rows.contribution.any():
                sentences.append(self.say(key))
        if "short" in self.notes:
            sentences.append(self.say("words.short" if n > 1 else "words.short_one", n=n))
        if "disagree" in self.notes:
            at = self.rows.position
            effect = self.without.score[at] - self.ledger.score
            looked, moving = disagreement(self.rows.weight, effect) or (0, 0)
            sentences.append(
                self.say(
                    "words.disagree",
                    looked=self.quoted(self.title_at(int(at[looked]))),
                    weight=f"{self.rows.weight[looked]:.1%}",
                    moving=self.quoted(self.title_at(int(at[moving]))),
                    effect=figure(float(effect[moving]), sign=True),
                )
            )
        if n:
            sentences.append(t(f"words.confidence_{self.ledger.confidence.level}", self.lang, k=self.ledger.k))
        return sentences
