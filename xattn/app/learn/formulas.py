"""The four steps as formulas with the live numbers in them: a sheet and what the library made of it → LaTeX.

Nothing is computed here. Every number is either one that was typed or one that `attend` returned; between the signs of
equality stand the typed ones, at the end the result. What somebody points at, an event and perhaps one of its
coordinates, is marked wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from xattn.app.learn.sheet import Sheet
from xattn.tensor.attend import Attended
from xattn.viz.digits import digits

__all__ = [
    "NOTHING",
    "Lit",
    "fusion",
    "fusion_terms",
    "key_terms",
    "score_terms",
    "scores",
    "tex",
    "weight_terms",
    "weights",
]

MOST_LINES = 5  # events that get a line of their own; of more, the first ones and the last
MOST_TERMS = 6  # coordinates written out in a sum or a column
VERTICAL = r"&\;\;\vdots"
MARKER = r"\colorbox{#ffd76a}{$\displaystyle\textcolor{#1c1a12}{%s}$}"  # reads at 13:1, on light and dark pages alike


class Lit(NamedTuple):
    """What is pointed at: the position of an event, and of one of its coordinates; None for neither."""

    event: int | None = None
    place: int | None = None


NOTHING = Lit()


def _mark(text: str, on: bool) -> str:
    return MARKER % text if on else text


def tex(x: float) -> str:
    """A number in LaTeX.

    >>> tex(0.244728), tex(-2.0), tex(1e-9)
    ('0.24473', '-2', '10^{-9}')
    """
    text = digits(x)
    if "e" not in text:
        return text
    lead, _, power = text.partition("e")
    times = {"1": "", "-1": "-"}.get(lead, rf"{lead}\cdot ")
    return f"{times}10^{{{int(power)}}}"


def _factor(x: float) -> str:
    """A number inside a product: negative ones in brackets."""
    return f"({tex(x)})" if x < 0 or "e" in digits(x) else tex(x)


def _lines(lines: Iterable[str]) -> str:
    return r"\begin{aligned}" + r"\\".join(lines) + r"\end{aligned}"


def _told(n: int, most: int = MOST_LINES, also: int | None = None) -> list[int | None]:
    """Positions to write out, `also` among them; None stands for those left out.

    >>> _told(3), _told(7), _told(9, also=5)
    ([0, 1, 2], [0, 1, 2, None, 6], [0, 1, 2, None, 5, None, 8])
    """
    if n <= most:
        return [*range(n)]
    told: list[int | None] = []
    kept = sorted({*range(most - 2), n - 1} | ({also} if also is not None and also < n else set()))
    for before, i in zip([-1, *kept], kept, strict=False):
        told += [i] if i == before + 1 else [None, i]
    return told


def _wrapped(head: str, terms: Sequence[str]) -> list[str]:
    """head = a sum, two terms a line: narrow enough for a phone."""
    pairs = [" + ".join(terms[i : i + 2]) for i in range(0, len(terms), 2)]
    return [rf"{head} &= {pairs[0]}", *(rf"&\quad + {pair}" for pair in pairs[1:])]


def _sum(terms: Sequence[str], most: int = MOST_TERMS, lit: int | None = None) -> str:
    told = _told(len(terms), most, lit)
    return " + ".join(r"\cdots" if i is None else _mark(terms[i], i == lit) for i in told)


def _column(values: Sequence[float], lit: int | None = None) -> str:
    told = _told(len(values), MOST_TERMS, lit)
    cells = [r"\vdots" if i is None else _mark(tex(values[i]), i == lit) for i in told]
    return r"\begin{pmatrix}" + r"\\".join(cells) + r"\end{pmatrix}"


# --- step 1 -----------------------------------------------------------------------------------------------------------

DEFINITIONS = {
    "scaled_dot": r"s_i &= \frac{q \cdot k_i}{\sqrt{d}}",
    "cosine": r"s_i &= \frac{q \cdot k_i}{\lVert q \rVert \, \lVert k_i \rVert}",
    "additive": r"s_i &= v^{\top} \tanh(W_q\, q + W_k\, k_i)",
    "bilinear": r"s_i &= q^{\top} W\, k_i",
}


def scores(sheet: Sheet, result: Attended, lit: Lit = NOTHING) -> str:
    """s_i of each event, by the sheet's scorer; first its definition, where that is more than a dot product."""
    lines = [DEFINITIONS[sheet.scorer]] if sheet.scorer in DEFINITIONS else []
    for i in _told(len(sheet.keys), also=lit.event):
        if i is None:
            lines.append(VERTICAL)
            continue
        own = lit.event == i
        place = lit.place if own else None
        middle = _score(sheet, i, place)
        lines.append(f"s_{{{i + 1}}} &= {middle}{_mark(tex(result.scores[i]), own and (place is None or not middle))}")
    return _lines(lines)


def _score(sheet: Sheet, i: int, place: int | None) -> str:
    """What stands between s_i = and its value."""
    if sheet.scorer in ("additive", "bilinear"):
        return ""
    key = sheet.keys[i]
    dot = _sum([rf"{_factor(a)} \cdot {_factor(b)}" for a, b in zip(sheet.query, key, strict=True)], lit=place)
    if sheet.scorer == "scaled_dot":
        return rf"\frac{{{dot}}}{{\sqrt{{{len(key)}}}}} = "
    if sheet.scorer == "cosine":
        lengths = r" \, ".join(
            rf"\sqrt{{{_sum([f'{_factor(x)}^2' for x in vector])}}}" for vector in (sheet.query, key)
        )
        return rf"\frac{{{dot}}}{{{lengths}}} = "
    return rf"q \cdot k_{{{i + 1}}} = {dot} = "


# --- step 2 -----------------------------------------------------------------------------------------------------------


def weights(sheet: Sheet, result: Attended, untouched: Sequence[float], lit: Lit = NOTHING) -> str:
    """a_i of each event; `untouched` are the weights before the threshold set small ones to 0.

    Short sums stand in every denominator; longer ones are written once and called Z.
    """
    most = max(result.scores)
    terms = [_exponential(e, most, sheet) for e in result.scores]
    told = _told(len(terms), also=lit.event)
    power = "" if sheet.beta == 1.0 else f"^{{{tex(sheet.beta)}}}"
    if len(terms) <= 3 and not power and sheet.temperature == 1.0:
        lines, below = [], _sum(terms)
    else:
        lines = _wrapped("Z", [r"\cdots" if i is None else _mark(terms[i], i == lit.event) for i in told])
        below = f"Z{power}"
    for i in told:
        if i is None:
            lines.append(VERTICAL)
            continue
        own = i == lit.event
        under = _sum(terms, lit=i) if own and not below.startswith("Z") else below
        line = rf"a_{{{i + 1}}} &= \frac{{{_mark(terms[i], own)}}}{{{under}}} = {_mark(tex(untouched[i]), own)}"
        if untouched[i] != result.weights[i]:
            line += rf" < {tex(sheet.threshold)} \;\Rightarrow\; {tex(result.weights[i])}"
        lines.append(line)
    return _lines(lines)


def _exponential(e: float, most: float, sheet: Sheet) -> str:
    """e^(score/T); with β ≠ 1 the largest score is taken off first, because it no longer cancels."""
    power = tex(e)
    if sheet.beta != 1.0:
        power = f"{power} - {_factor(most)}"
    if sheet.temperature != 1.0:
        power = f"({power}) / {tex(sheet.temperature)}" if sheet.beta != 1.0 else f"{power} / {tex(sheet.temperature)}"
    return f"e^{{{power}}}"


# --- steps 3 and 4 ----------------------------------------------------------------------------------------------------


def fusion(sheet: Sheet, result: Attended, rows: Sequence[Sequence[float]], symbol: str, lit: Lit = NOTHING) -> str:
    """The weighted sum (or, for fusion "add", the mean of value + weight) of `rows`, which are called `symbol`."""
    n, told = len(rows), _told(len(rows), 4, lit.event)

    def part(i: int) -> str:
        own = i == lit.event
        column = _column(rows[i], lit.place if own else None)
        weight = _mark(tex(result.weights[i]), own)
        return f"{column} + {weight}" if sheet.fusion == "add" else f"{weight} {column}"

    parts = [r"\cdots" if i is None else part(i) for i in told]
    if sheet.fusion == "add":
        head = rf"\frac{{1}}{{{n}}} \sum_i \left({symbol}_i + a_i\right)"
        parts = [rf"\frac{{1}}{{{n}}} \Big[ {parts[0]}", *parts[1:]]
        parts[-1] += r" \Big]"
    else:
        head = rf"\sum_i a_i\, {symbol}_i"
    return _lines([f"& {head}", *_wrapped("", parts), rf"&= {_column(list(result.fused), lit.place)}"])


# --- single terms, as plain text --------------------------------------------------------------------------------------
#
# What a chart says of the cell or the bar under the pointer: its own part of the formula beside it.


def _plain(text: str) -> str:
    r"""Simple LaTeX as it can stand in a chart.

    >>> _plain(r"e^{2 / 0.5} + 2\cdot 10^{-9}"), _plain("e^{2}")
    ('e^(2 / 0.5) + 2·10^(-9)', 'e^2')
    """
    text = re.sub(r"\{([0-9.]+)\}", r"\1", text).replace("{", "(").replace("}", ")")
    return text.replace(r"\cdots", "…").replace(r"\cdot ", "·")


def _product(a: float, b: float) -> str:
    return _plain(f"{_factor(a)} × {_factor(b)}")


def _told_sum(terms: Sequence[str]) -> str:
    return " + ".join("…" if i is None else terms[i] for i in _told(len(terms), MOST_TERMS))


def key_terms(sheet: Sheet) -> list[list[str]]:
    """(1 + n, d) for the query, then for each key: what a coordinate does in step 1."""
    told = [[f"q{j + 1} = {digits(x)}" for j, x in enumerate(sheet.query)]]
    for i, key in enumerate(sheet.keys):
        if sheet.scorer in ("additive", "bilinear"):
            told.append([f"k{i + 1} → e{i + 1}: {digits(x)}" for x in key])
        else:
            told.append([f"q · k{i + 1}: {_product(a, b)}" for a, b in zip(sheet.query, key, strict=True)])
    return told


def score_terms(sheet: Sheet, result: Attended) -> list[str]:
    """(n,) each score with what it is made of."""
    told = []
    for i, key in enumerate(sheet.keys):
        dot = _told_sum([_product(a, b) for a, b in zip(sheet.query, key, strict=True)])
        middle = {
            "dot": f"{dot} = ",
            "scaled_dot": f"({dot}) / √{len(key)} = ",
            "cosine": f"({dot}) / (‖q‖ ‖k{i + 1}‖) = ",
        }
        told.append(f"e{i + 1} = {middle.get(sheet.scorer, '')}{digits(result.scores[i])}")
    return told


def weight_terms(sheet: Sheet, result: Attended, untouched: Sequence[float]) -> list[str]:
    """(n,) each weight with what it is made of; `untouched` as in `weights`."""
    most = max(result.scores)
    parts = [_plain(_exponential(e, most, sheet)) for e in result.scores]
    below = f"({_told_sum(parts)})" + ("" if sheet.beta == 1.0 else f"^{digits(sheet.beta)}")
    told = []
    for i, part in enumerate(parts):
        line = f"a{i + 1} = {part} / {below} = {digits(untouched[i])}"
        if untouched[i] != result.weights[i]:
            line += f" < {digits(sheet.threshold)} → {digits(result.weights[i])}"
        told.append(line)
    return told


def fusion_terms(sheet: Sheet, result: Attended, rows: Sequence[Sequence[float]]) -> list[list[str]]:
    """(n + 1, m) each contribution with what it is made of, then the sums."""
    n, m = len(rows), len(rows[0])

    def part(i: int, j: int) -> str:
        weight, x = result.weights[i], rows[i][j]
        return f"({_plain(_factor(x))} + {_plain(tex(weight))}) / {n}" if sheet.fusion == "add" else _product(weight, x)

    told = [[f"{part(i, j)} = {digits(result.contributions[i, j])}" for j in range(m)] for i in range(n)]
    return [*told, [f"{_told_sum([part(i, j) for i in range(n)])} = {digits(result.fused[j])}" for j in range(m)]]
