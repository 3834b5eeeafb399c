"""Texts of a ledger read back: every sentence, number and name, found by the catalogue's own wordings and checked.

`read_back` turns a text into claims: the key of each sentence with the values that stand in its places. It knows the
catalogue and nothing of the ledger; whether the claims hold is looked up elsewhere (`texts.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from xattn.errors import check_choice, refuse
from xattn.explain.question import AMOUNTS, TERMS
from xattn.explain.tell.words import DEPTHS, SCENARIOS, worded
from xattn.i18n import LANGUAGES, placeholders, t
from xattn.i18n.numbers import figure

__all__ = ["Claim", "Named", "prints", "read_back"]

ORDER = 1e-9  # of a number: what sums in another order may differ by before they are printed
NOTHING = 1e-14  # likewise where terms cancel
NUMBER = r"[+−]?\d+(?:\.\d+)?"
TIMES = r"(?:(?:, |，)(?P<times>\d+) ?(?:times|次))?"
UNNAMED = TIMES.replace("?P<times>", "?:")  # in a pattern that holds it more than once
QUOTED = {"en": ("“", "”"), "zh": ("《", "》")}
TITLES = frozenset({"title", "replacement", "looked", "moving", "feature"})
OF_FEATURES = frozenset({"words.features", "words.both_say", "words.alike_in"})  # they list no titles
CASES = ("for", "although", "disliked", "popular", "none")
CLAUSES = tuple(f"words.clause_{case}" for case in CASES)
SENTENCES = tuple(f"words.sentence_{case}" for case in CASES) + tuple(f"words.outside_{case}" for case in CASES[:-1])
TAILS = ("words.tail_rank", "words.tail_same", "words.tail_score", "words.tail_end")
PARAGRAPH = (
    "words.score", "words.score_one", "words.score_empty", "words.for", "words.although", "words.against",
    "words.all_orders", "words.orders", "words.features", "words.both_say", "words.alike_in",
    "words.effective", "words.removal", "words.removal_same", "words.removal_unranked", "words.unranked", "words.drop",
    "words.drop_alone", "words.smallest", "words.not_smallest", "words.stays", "words.popularity", "words.no_reason",
    "words.short", "words.short_one", "words.disagree", "words.confidence_strong", "words.confidence_moderate",
    "words.confidence_weak",
)  # fmt: skip


class Named(NamedTuple):
    """A title as it stands in a text, the amount behind it, how often the item was met; "" where it is not said."""

    title: str
    amount: str = ""
    times: str = ""


class Claim(NamedTuple):
    """One sentence: its key in the catalogue, its plain values by their places, and the names that it lists."""

    key: str
    values: dict[str, str]
    names: tuple[Named, ...] = ()


def prints(text: str, value: float) -> bool:
    """The text is how `value` is printed, or a value next to it.

    >>> prints("+0.1235", 0.12345678), prints("+0.1236", 0.12345678)
    (True, False)
    """
    near = (value, value * (1 - ORDER), value * (1 + ORDER))
    said = float(text.replace("−", "-").rstrip("%"))
    return text.lstrip("+") in {figure(x) for x in near} or abs(said - value) <= NOTHING


def read_back(text: str, lang: str, depth: str, scenario: str = "films", amounts: str = TERMS) -> list[Claim]:
    """The claims of a text of `Ledger.text`, in order. Raises InputError where a part of it is none of its sentences.

    `amounts` are those of the ledger: each kind has sentences of its own, and no ledger may speak with another's.

    >>> [claim] = read_back("because you watched “Alien” and “Brazil”", "en", "clause")
    >>> claim.key, [name.title for name in claim.names]
    ('words.clause_for', ['Alien', 'Brazil'])
    """
    check_choice("lang", lang, LANGUAGES)
    check_choice("depth", depth, DEPTHS)
    check_choice("scenario", scenario, SCENARIOS)
    check_choice("amounts", amounts, tuple(AMOUNTS))
    orders = {"clause": (CLAUSES,), "sentence": (SENTENCES, TAILS)}.get(depth)
    claims, at, step = [], 0, 0
    while at < len(text) or (orders is not None and step < len(orders)):
        keys = PARAGRAPH if orders is None else orders[step] if step < len(orders) else ()
        found = _longest(text, at, keys, lang, scenario, amounts)
        if found is None:
            refuse("text_of_no_ledger", got=text[at : at + 80])
        claim, at = found
        claims.append(claim)
        step += 1
        if orders is None and lang == "en" and text[at : at + 1] == " ":
            at += 1
    return claims


def _longest(
    text: str, at: int, keys: tuple[str, ...], lang: str, scenario: str, amounts: str
) -> tuple[Claim, int] | None:
    """The claim that takes most of the text from `at` on, and where it ends."""
    best: tuple[Claim, int] | None = None
    for key in keys:
        match = _pattern(worded(key, amounts), lang, scenario).match(text, at)
        if match and (best is None or match.end() > best[1]):
            values = {name: value for name, value in match.groupdict().items() if value is not None}
            names = tuple(_names(values.pop("names", ""), key, lang))
            best = Claim(key, values, names), match.end()
    return best


@cache
def _pattern(key: str, lang: str, scenario: str) -> re.Pattern[str]:
    """The wording of a key with a group for each place; titles cannot hold the marks that they stand between."""
    marks = {name: f"\x00{name}\x01" for name in placeholders(key, lang)}
    left, right = QUOTED[lang]
    pattern = re.escape(t(key, lang, **marks))
    for name in marks:
        if name == "did":
            place = re.escape(t(f"words.did.{scenario}", lang))
        elif name == "names":
            kinds = dict.fromkeys((QUOTED[lang], ("“", "”")))  # each once: two ways to read a name are 2ⁿ to read n
            quoted = "|".join(f"{first}[^{first}{last}]*{last}" for first, last in kinds)
            one = rf"(?:{quoted})(?: ?[(（]{NUMBER}{UNNAMED}[)）])?"
            between = "|".join(re.escape(t(mark, lang)) for mark in ("words.and", "words.and_last"))
            place = rf"(?P<names>{one}(?:(?:{between}){one})*)"
        elif name in TITLES:
            place = rf"(?P<{name}>[^{left}{right}]*)"
        else:
            place = rf"(?P<{name}>{NUMBER}%?)"
        pattern = pattern.replace(re.escape(marks[name]), place)
    return re.compile(pattern)


def _names(text: str, key: str, lang: str) -> Iterator[Named]:
    left, right = ("“", "”") if key in OF_FEATURES else QUOTED[lang]
    for title, amount, times in re.findall(
        rf"{left}([^{left}{right}]*){right}(?: ?[(（]({NUMBER}){TIMES}[)）])?", text
    ):
        yield Named(title, amount, times)
