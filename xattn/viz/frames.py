"""The tidy frames of a ledger, which charts draw and text twins list.

Frames keep the events and the columns that matter most. The others are added up in one row or column that says so, so
every waterfall still ends at the score and every heat map at score − base.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xattn.i18n import t
from xattn.i18n.numbers import figure, percent
from xattn.viz.names import column_name

__all__ = ["MOST_COLUMNS", "MOST_EVENTS", "heat_frame", "waterfall_frame", "weight_frame"]

MOST_EVENTS = 15  # rows of a ledger's chart; nobody reads more
MOST_COLUMNS = 9
LONGEST_TITLE, LONGEST_LABEL = 200, 60


def waterfall_frame(
    events: pd.DataFrame,
    base: float,
    score: float,
    lang: str = "en",
    most: int = MOST_EVENTS,
    amounts_are: str = "terms",
    per: float | None = None,
) -> pd.DataFrame:
    """Rows of a waterfall from 0 over the base and the events to the score; `amounts_are` as `Ledger.amounts`. With
    `per` all amounts are shares of it, and printed in per cent.

    Columns: label (distinct), title, role (base, for, against, score), amount, start, end, text (the amount with its
    sign, four digits). The amounts of all rows but the last add up to the last one's.
    """
    shown, rest = _largest(events, most)
    titles = [t("chart.base" if amounts_are == "terms" else "chart.base_foreign", lang), *_titles(shown)]
    amounts = [base, *shown["contribution"]]
    if len(rest):
        titles.append(t("chart.rest", lang, n=len(rest)))
        amounts.append(float(rest["contribution"].sum()))
    amounts, score = [amount / (per or 1.0) for amount in amounts], score / (per or 1.0)
    end = np.cumsum(amounts)
    return pd.DataFrame(
        {
            "label": distinct([*titles, t("chart.score", lang)]),
            "title": [*titles, t("chart.score", lang)],
            "role": ["base", *("for" if amount >= 0 else "against" for amount in amounts[1:]), "score"],
            "amount": [*amounts, score],
            "start": [*(end - amounts), 0.0],
            "end": [*end, score],
            "text": [_printed(amounts[0], per), *(_printed(x, per, True) for x in amounts[1:]), _printed(score, per)],
        }
    )


def _printed(amount: float, per: float | None, sign: bool = False) -> str:
    """An amount as a chart prints it: four digits, or a share in per cent."""
    if per is None:
        return figure(amount, sign)
    return ("+" if sign and amount >= 0 else "") + percent(amount)


def heat_frame(
    cells: pd.DataFrame, events: pd.DataFrame, lang: str = "en", most: int = MOST_EVENTS, per: float | None = None
) -> pd.DataFrame:
    """Event × column (a head, or a feature of a head that splits): label, title, column, contribution, text. With `per`
    the contributions are shares of it.

    One row per pair that has a cell; `column` is categorical, the largest first. Events beyond the `most` largest share
    one row, columns beyond the `MOST_COLUMNS` largest one column; the contributions add up to score − base.
    """
    shown, rest = _largest(events, most)
    other = t("chart.rest", lang, n=len(rest))
    titles = _titles(shown)
    label_at = dict(zip(shown["position"], distinct(titles), strict=True))
    title_at = dict(zip(shown["position"], titles, strict=True))
    names = {
        pair: column_name(*pair, lang) for pair in dict.fromkeys(zip(cells["head"], cells["feature"], strict=True))
    }
    frame = pd.DataFrame(
        {
            "row": [label_at.get(p, other) for p in cells["position"]],
            "title": [title_at.get(p, other) for p in cells["position"]],
            "column": [names[pair] for pair in zip(cells["head"], cells["feature"], strict=True)],
            "contribution": cells["contribution"].to_numpy(dtype=float),
        }
    ).rename(columns={"row": "label"})
    size = frame.groupby("column", sort=False)["contribution"].apply(lambda c: c.abs().sum())
    if size.any():
        size = size[size > 0]  # columns that say nothing at all
        frame = frame[frame["column"].isin(size.index)]
    most_columns = MOST_COLUMNS if len(size) > MOST_COLUMNS + 1 else len(size)
    kept = list(size.sort_values(ascending=False, kind="stable").index[:most_columns])
    others = t("chart.rest_columns", lang, n=len(size) - len(kept))
    if len(kept) < len(size):
        frame["column"] = frame["column"].where(frame["column"].isin(kept), others)
        kept.append(others)
    frame = pd.DataFrame(frame.groupby(["label", "title", "column"], sort=False)["contribution"].sum()).reset_index()
    frame["column"] = pd.Categorical(frame["column"], kept, ordered=True)
    row = {label: i for i, label in enumerate([*label_at.values(), other])}
    order = np.lexsort((frame["column"].cat.codes, frame["label"].map(row)))
    frame = frame.iloc[order].reset_index(drop=True)
    frame["contribution"] /= per or 1.0
    frame["text"] = [_printed(amount, per, True) for amount in frame["contribution"]]
    return frame


def weight_frame(events: pd.DataFrame, most: int = MOST_EVENTS) -> pd.DataFrame:
    """The events with the largest weights, largest first: label, title, weight, text (in percent)."""
    frame = events.sort_values("weight", ascending=False, kind="stable").head(most)
    titles = _titles(frame)
    weights = frame["weight"].to_numpy(dtype=float)
    return pd.DataFrame(
        {"label": distinct(titles), "title": titles, "weight": weights, "text": [f"{w:.1%}" for w in weights]}
    )


def _titles(events: pd.DataFrame) -> list[str]:
    """The events' titles, none longer than a tooltip can show."""
    return [title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…" for title in events["title"]]


def distinct(titles: Sequence[str]) -> list[str]:
    """Short labels that differ (an axis would merge equal ones): the second of equal ones ends in (2), and so on.

    >>> distinct(["Solaris", "Solaris", "Alien"])
    ['Solaris', 'Solaris (2)', 'Alien']
    """
    taken: set[str] = set()
    labels = []
    for title in titles:
        short = " ".join(title[:LONGEST_LABEL].split()) + ("…" if len(title) > LONGEST_LABEL else "")
        label, n = short, 1
        while label in taken:
            n += 1
            label = f"{short} ({n})"
        taken.add(label)
        labels.append(label)
    return labels


def _largest(events: pd.DataFrame, most: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(shown, left out): the `most` events of largest |contribution|, in the order they came."""
    order = np.argsort(-events["contribution"].abs().to_numpy(), kind="stable")
    if len(order) == most + 1:  # a row for one left out would take its place
        most += 1
    return events.iloc[np.sort(order[:most])], events.iloc[np.sort(order[most:])]
