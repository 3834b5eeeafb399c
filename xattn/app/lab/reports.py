"""Reports on one model, drawn: what its attention does, whom popularity serves, who is served worse, what a threshold
costs, what attention tests say.

A figure of a report is {"value": …, "ci95": [low, high] or None}; every report begins with its own summary in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from xattn.app.lab.names import figure_name, group_name, measure_name, metric_name
from xattn.app.lab.results import meaning
from xattn.app.ui import address
from xattn.app.ui.figures import csv_button, figures
from xattn.app.ui.text import safe
from xattn.i18n import is_text, t
from xattn.i18n.joined import clauses, sentences
from xattn.viz.attention import distinct
from xattn.viz.lab import interval_chart, line_chart, share_chart
from xattn.viz.names import feature_name, head_name

__all__ = ["attention", "attention_tests", "finding", "groups", "popularity", "threshold"]

MOST_FEATURES = 15


def _summary(report: dict[str, Any], language: str) -> None:
    """The report in its own words."""
    said = [
        t(part["key"], language, **{of: figure_name(of, value, language) for of, value in part["values"].items()})
        for part in report.get("summary", ())
        if is_text(part["key"])
    ]
    if said:
        st.markdown(safe(sentences(said, language), 3000))


def _figure(name: str, figure: dict[str, Any] | None) -> dict[str, Any]:
    """name, value, low, high."""
    value = None if figure is None else figure["value"]
    low, high = (figure or {}).get("ci95") or (value, value)
    return {"name": name, "value": value, "low": low, "high": high}


def _plain(rows: Sequence[dict[str, Any]], language: str) -> pd.DataFrame:
    """Every number of every row; a figure gives three columns."""
    found = []
    for row in rows:
        flat: dict[str, Any] = {}
        for key, value in row.items():
            title = _column(key, language)
            if isinstance(value, dict):
                low, high = value.get("ci95") or (None, None)
                flat[title] = value["value"]
                for end, own in (("lab.low", low), ("lab.high", high)):
                    flat[clauses([title, t(end, language)], language)] = own
            else:
                flat[title] = value
        found.append(flat)
    return pd.DataFrame(found)


def _column(key: str, language: str) -> str:
    name = f"lab.column_{key.partition('@')[0]}"
    return t(name, language) + key[len(key.partition("@")[0]) :] if is_text(name) else metric_name(key, language)


def _all(rows: Sequence[dict[str, Any]], key: str, language: str) -> None:
    with address.part(key, t("lab.all_numbers", language), icon=":material/table_rows:"):
        wide = _plain(rows, language)
        st.dataframe(wide, hide_index=True, key=key, alt=t("lab.all_numbers", language))
        csv_button(wide, key, language)


def _named(frame: pd.DataFrame, name: str, title: str, language: str) -> pd.DataFrame:
    columns = {"name": name, "value": title, "low": t("lab.low", language), "high": t("lab.high", language)}
    return frame.rename(columns=columns)


# --- attention --------------------------------------------------------------------------------------------------------


def attention(report: dict[str, Any], language: str) -> None:
    """Weight and effect over the age of events, head by head; the features that contribute; the heads."""
    _summary(report, language)
    for column in ("weight", "effect"):
        with st.container(border=True):
            st.subheader(t(f"lab.by_age_{column}", language))
            st.caption(t(f"lab.by_age_{column}_says", language))
            names = _heads(report, language)
            frame = pd.DataFrame(
                [
                    {**_figure("", row[column]), "group": row["age"], "series": names[row["head"]]}
                    for row in report["rows"]
                ]
            )
            title = t(f"lab.column_{column}", language)
            figures(  # bars: groups of ages differ in size, and nothing lies between two of them
                share_chart(frame, title, language),
                frame.pivot_table(index="group", columns="series", values="value", sort=False)
                .reset_index()
                .rename(columns={"group": t("lab.age", language)}),
                key=f"lab_age_{column}",
            )
    features = report.get("features") or []
    split = [row for row in features if row["feature"]]  # behaviour is one row without a name: its values do not split
    if split:
        with st.container(border=True):
            st.subheader(t("lab.features", language))
            st.caption(t("lab.features_say", language))
            shown = [_figure(feature_name(row["feature"], language), row["share"]) for row in split[:MOST_FEATURES]]
            title = t("lab.column_share", language)
            frame = pd.DataFrame(shown)
            figures(
                interval_chart(frame, title, language, share=True),
                _named(frame, t("lab.column_feature", language), title, language),
                key="lab_features",
            )
            _all(features, "lab_features_all", language)
    with st.container(border=True):
        st.subheader(t("lab.heads", language))
        names = _heads(report, language)
        rows = [
            {
                _column(key, language): _within(value, key.endswith("_share"))
                if isinstance(value, dict)
                else names[value]
                for key, value in row.items()
            }
            for row in report["heads"]
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="lab_heads", alt=t("lab.heads", language))


def _within(figure: dict[str, Any], share: bool) -> str:
    """A figure and its interval on one line."""
    value, *ends = (f"{x:.2%}" if share else f"{x:.4g}" for x in (figure["value"], *(figure.get("ci95") or ())))
    return f"{value} [{', '.join(ends)}]" if ends else value


def _heads(report: dict[str, Any], language: str) -> dict[str, str]:
    """What each head is called, no two alike."""
    heads = list(dict.fromkeys(row["head"] for row in (*report["heads"], *report["rows"])))
    return dict(zip(heads, distinct([head_name(head, language) for head in heads]), strict=True))


def finding(report: dict[str, Any], language: str) -> str:
    """The best finding in one sentence: the head that looks most beside what it decides; "" where there is none."""
    heads = [(row["weight_share"]["value"], row["effect_share"]["value"], row["head"]) for row in report["heads"]]
    apart = [one for one in heads if one[1] > 0 and one[0] > 2 * one[1]]
    if not apart:
        return ""
    looked, decided, head = max(apart, key=lambda one: one[0] - one[1])
    facts = {"looked": f"{looked:.0%}", "decided": f"{decided:.2%}" if decided < 0.01 else f"{decided:.0%}"}
    return t("lab.finding", language, head=safe(_heads(report, language)[head]), **facts)


# --- popularity -------------------------------------------------------------------------------------------------------


def popularity(report: dict[str, Any], language: str) -> None:
    """What share of events and of lists each fifth of the catalogue has; the base's share of scores."""
    _summary(report, language)
    rows = [{**row, "group": t(f"lab.fifth_{row['group']}", language)} for row in report["rows"]]
    with st.container(border=True):
        st.subheader(t("lab.popular_lists", language))
        st.caption(t("lab.popular_lists_say", language))
        frame = pd.DataFrame(
            [
                {"group": row["group"], "series": t(f"lab.column_{column}", language), "value": value}
                for row in rows
                for column, value in (
                    ("share_of_events", row["share_of_events"]),
                    ("share_of_lists", row["share_of_lists"]["value"]),
                )
            ]
        )
        figures(
            share_chart(frame, t("lab.column_share", language), language),
            frame.pivot_table(index="group", columns="series", values="value", sort=False)
            .reset_index()
            .rename(columns={"group": t("lab.column_group", language)}),
            key="lab_popularity",
        )
    with st.container(border=True):
        st.subheader(t("lab.popular_base", language))
        names = ("base_share", "correlation", "bias", "gini", "coverage")
        found = [_scalar(name, report[name], language) for name in names if name in report]
        st.dataframe(pd.DataFrame(found), hide_index=True, key="lab_base", alt=t("lab.popular_base", language))
    _all(rows, "lab_popularity_all", language)


def _scalar(name: str, value: Any, language: str) -> dict[str, Any]:
    row = _figure(_column(name, language), value if isinstance(value, dict) else {"value": value, "ci95": None})
    return {
        t("lab.metric", language): row["name"],
        t("lab.column_value", language): row["value"],
        t("lab.low", language): row["low"],
        t("lab.high", language): row["high"],
    }


# --- groups and threshold ---------------------------------------------------------------------------------------------


def groups(report: dict[str, Any], language: str) -> None:
    """One measure over groups of people or items, with intervals."""
    _summary(report, language)
    rows = report["rows"]
    names = [key for key, value in rows[0].items() if isinstance(value, dict)]
    with st.container(border=True):
        metric = _pick(names, "lab_group_metric", language)
        frame = pd.DataFrame(
            [_figure(f"{group_name(row['group'], language)} · n = {row['n']:,}", row[metric]) for row in rows]
        )
        title = _column(metric, language)
        figures(
            interval_chart(frame, title, language, sort=False),
            _named(frame, t("lab.column_group", language), title, language),
            key="lab_groups",
        )
        st.caption(t("lab.intervals_say", language))
    _all([{**row, "group": group_name(row["group"], language)} for row in rows], "lab_groups_all", language)


def threshold(report: dict[str, Any], language: str) -> None:
    """What a threshold keeps of accuracy, and what it spares of events."""
    _summary(report, language)
    rows = report["rows"]
    names = [key for key, value in rows[0].items() if isinstance(value, dict)]
    left, right = st.columns(2)
    for place, at in ((left, 0), (right, min(2, len(names) - 1))):
        with place, st.container(border=True):
            metric = _pick(names, f"lab_threshold_{at}", language, at)
            title = _column(metric, language)
            frame = pd.DataFrame(
                [{**_figure(title, row[metric]), "x": row["threshold"], "series": title} for row in rows]
            )
            figures(
                line_chart(frame, t("term.threshold", language), title, language, height=240),
                _named(frame[["x", "value", "low", "high"]], "", title, language).rename(
                    columns={"x": t("term.threshold", language)}
                ),
                key=f"lab_threshold_chart_{at}",
            )
    _all(rows, "lab_threshold_all", language)


def _pick(names: Sequence[str], key: str, language: str, start: int = 0) -> str:
    metric = address.select(
        "metric" if start == 0 else "other",
        names,
        key=key,
        label=t("lab.metric", language),
        words=lambda name: _column(name, language),
        start=names[start],
    )
    st.caption(meaning(metric, language))
    return metric


# --- tests of attention -----------------------------------------------------------------------------------------------


def attention_tests(report: dict[str, Any], language: str) -> None:
    """Each test of what weights mean, and the verdict."""
    verdict = f"lab.verdict_{report.get('verdict', '')}"
    if is_text(verdict):
        st.info(t(verdict, language), icon=":material/gavel:")
    _summary(report, language)
    rows = []
    for row in report["rows"]:
        low, high = row.get("ci95") or (None, None)
        key = f"lab.test_{row['test']}"
        rows.append(
            {
                t("lab.column_test", language): t(key, language) if is_text(key) else row["test"],
                t("lab.column_measure", language): measure_name(str(row["measure"]), language),
                t("lab.column_value", language): row["value"],
                t("lab.low", language): low,
                t("lab.high", language): high,
            }
        )
    frame = pd.DataFrame(rows)
    with st.container(border=True):
        st.dataframe(frame, hide_index=True, key="lab_tests", alt=t("lab.job_attention-tests", language))
        csv_button(frame, "lab_tests", language)
