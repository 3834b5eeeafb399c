"""The four steps as formulas with the live numbers in them: a sheet and what the library made of it → LaTeX.

Nothing is computed here. Every number is either one that was typed or one that `attend` returned; between the signs of
equality stand the typed ones, at the end the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xattn.app.vectors import Sheet
from xattn.model.attention import Attended
from xattn.viz.digits import digits

__all__ = ["fusion", "scores", "tex", "weights"]

MOST_LINES = 5  # events that get a line of their own; of more, the first ones and the last
MOST_TERMS = 6  # coordinates written out in a sum or a column


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


def _told(n: int, most: int = MOST_LINES) -> list[int | None]:
    """Positions to write out; None stands for those left out.

    >>> _told(3), _told(7)
    ([0, 1, 2], [0, 1, 2, None, 6])
    """
    return [*range(n)] if n <= most else [*range(most - 2), None, n - 1]


def _sum(terms: Sequence[str], most: int = MOST_TERMS) -> str:
    return " + ".join(r"\cdots" if i is None else terms[i] for i in _told(len(terms), most))


def _column(values: Sequence[float]) -> str:
    cells = [r"\vdots" if i is None else tex(values[i]) for i in _told(len(values), MOST_TERMS)]
    return r"\begin{pmatrix}" + r"\\".join(cells) + r"\end{pmatrix}"


# --- step 1 -----------------------------------------------------------------------------------------------------------


def scores(sheet: Sheet, result: Attended) -> str:
    """e_i of each event, by the sheet's scorer."""
    lines = []
    for i in _told(len(sheet.keys)):
        lines.append(r"&\;\;\vdots" if i is None else f"e_{{{i + 1}}} &= {_score(sheet, i)} = {tex(result.scores[i])}")
    return _lines(lines)


def _score(sheet: Sheet, i: int) -> str:
    k, key = f"k_{{{i + 1}}}", sheet.keys[i]
    if sheet.scorer == "additive":
        return rf"v^{{\top}} \tanh(W_q\, q + W_k\, {k})"
    if sheet.scorer == "bilinear":
        return rf"q^{{\top}} W\, {k}"
    dot = _sum([rf"{_factor(a)} \cdot {_factor(b)}" for a, b in zip(sheet.query, key, strict=True)])
    if sheet.scorer == "scaled_dot":
        root = rf"\sqrt{{{len(key)}}}"
        return rf"\frac{{q \cdot {k}}}{{\sqrt{{d}}}} = \frac{{{dot}}}{{{root}}}"
    if sheet.scorer == "cosine":
        lengths = r" \, ".join(rf"\sqrt{{{_sum([f'{_factor(x)}^2' for x in vector])}}}" for vector in (sheet.query, key))
        return rf"\frac{{q \cdot {k}}}{{\lVert q \rVert \, \lVert {k} \rVert}} = \frac{{{dot}}}{{{lengths}}}"
    return rf"q \cdot {k} = {dot}"


# --- step 2 -----------------------------------------------------------------------------------------------------------


def weights(sheet: Sheet, result: Attended, untouched: Sequence[float]) -> str:
    """a_i of each event; `untouched` are the weights before the threshold set small ones to 0."""
    most = max(result.scores)
    terms = [_exponential(e, most, sheet) for e in result.scores]
    below = _sum(terms)
    if sheet.beta != 1.0:
        below = rf"\left({below}\right)^{{{tex(sheet.beta)}}}"
    lines = []
    for i in _told(len(terms)):
        if i is None:
            lines.append(r"&\;\;\vdots")
            continue
        line = rf"a_{{{i + 1}}} &= \frac{{{terms[i]}}}{{{below}}} = {tex(untouched[i])}"
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


def fusion(sheet: Sheet, result: Attended, rows: Sequence[Sequence[float]], symbol: str) -> str:
    """The weighted sum (or, for fusion "add", the mean of value + weight) of `rows`, which are called `symbol`."""
    n = len(rows)
    told = _told(n, 3)
    if sheet.fusion == "add":
        head = rf"\frac{{1}}{{{n}}} \sum_i \left({symbol}_i + a_i\right)"
        parts = [r"\cdots" if i is None else rf"{_column(rows[i])} + {tex(result.weights[i])}" for i in told]
        body = rf"\frac{{1}}{{{n}}} \left[{' + '.join(parts)}\right]"
    else:
        head = rf"\sum_i a_i\, {symbol}_i"
        parts = [r"\cdots" if i is None else rf"{tex(result.weights[i])} {_column(rows[i])}" for i in told]
        body = " + ".join(parts)
    return _lines([f"{head} &= {body}", rf"&= {_column(list(result.fused))}"])
