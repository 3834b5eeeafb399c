"""A ledger → the tidy frames that charts draw and that their text twins list.

Long histories are cut to the events that matter most; what was left out is added up in one row and said, so every waterfall still
ends at the score.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from xattn.i18n import t

__all__ = ["MOST_EVENTS", "heat_frame", "waterfall_frame", "weight_frame"]

MOST_EVENTS = 15  # rows of a ledger's chart; more are read by nobody


def _labels(frame: pd.DataFrame) -> list[str]:
    """Titles made distinct (an axis would merge equal ones), at most 60 characters each."""
    return [f"{str(title)[:60]} · {p + 1}" for title, p in zip(frame["title"], frame["position"], strict=True)]


def _largest(events: pd.DataFrame, most: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(shown, left out): the `most` events of largest |contribution|, in the order they came."""
    order = np.argsort(-events["contribution"].abs().to_numpy(), kind="stable")
    return events.iloc[np.sort(order[:most])], events.iloc[np.sort(order[most:])]


def waterfall_frame(
    events: pd.DataFrame, base: float, score: float, lang: str = "en", most: int = MOST_EVENTS
) -> pd.DataFrame:
    """Rows of a waterfall from 0 over the base and the events to the score: label, title, role, amount, start, end, text.

    `amount` of all rows but the last adds up to the last one's.
    """
    shown, rest = _largest(events, most)
    base_words = t("chart.base", lang)
    rows = [(base_words, base_words, "base", base)]
    rows += [
        (label, title, "for" if amount >= 0 else "against", amount)
        for label, title, amount in zip(_labels(shown), shown["title"], shown["contribution"], strict=True)
    ]
    if len(rest):
        amount = float(rest["contribution"].sum())
        words = t("chart.rest", lang, n=len(rest))
        rows.append((words, words, "for" if amount >= 0 else "against", amount))
    frame = pd.DataFrame(rows, columns=["label", "title", "role", "amount"])
    end = frame["amount"].cumsum()
    frame["start"], frame["end"] = end - frame["amount"], end
    words = t("chart.score", lang)
    frame.loc[len(frame)] = [words, words, "score", score, 0.0, score]
    frame["right"] = frame[["start", "end"]].max(axis=1)
    frame["text"] = [f"{x:+.4f}" for x in frame["amount"]]
    return frame


def heat_frame(cells: pd.DataFrame, events: pd.DataFrame, lang: str = "en", most: int = MOST_EVENTS) -> pd.DataFrame:
    """The cells of the largest events: label, title, column (head, or head and feature), weight, value, contribution."""
    shown, _ = _largest(events, most)
    frame = cells[cells["position"].isin(shown["position"])].copy()
    frame["label"] = _labels(frame)
    frame["column"] = [f"{h} · {f}" if f else h for h, f in zip(frame["head"], frame["feature"], strict=True)]
    return frame.sort_values(["position", "head", "feature"], kind="stable").reset_index(drop=True)


def weight_frame(events: pd.DataFrame, most: int = MOST_EVENTS) -> pd.DataFrame:
    """The events with the largest weights, largest first: label, title, weight."""
    frame = events.sort_values("weight", ascending=False, kind="stable").head(most).copy()
    frame["label"] = _labels(frame)
    return frame[["label", "title", "position", "weight"]].reset_index(drop=True)
