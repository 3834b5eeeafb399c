"""Results of protocols, drawn: accuracy of models, faithfulness of explanations, curves of trainings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from xattn.app.lab.names import explainer_name, metric_name
from xattn.app.ui import address
from xattn.app.ui.figures import csv_button, figures
from xattn.i18n import is_text, t
from xattn.i18n.joined import listed
from xattn.viz.attention import distinct
from xattn.viz.lab import interval_chart, line_chart

__all__ = ["accuracy", "faithfulness", "meaning", "metrics_of", "training"]

ASIDE = ("ci95", "versus_first", "agreement", "curves", "paired", "peak_mb")  # peak_mb: of all models until then
COSTS = ("fit_s", "score_s")  # of a run, not of a model
FLOOR = 0.0010005  # the least p value that 1,000 resamples can tell, and what rounds to it


def meaning(metric: str, language: str) -> str:
    """What a metric says in a sentence, and which way is better; "" where the catalogue does not know it."""
    key = f"lab.means_{metric.partition('@')[0]}"
    return t(key, language) if is_text(key) else ""


def metrics_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Names of the numbers that rows have."""
    names = dict.fromkeys(name for row in rows for name in row if name not in ASIDE)
    return [name for name in names if any(isinstance(row.get(name), int | float) for row in rows)]


def _choose(names: Sequence[str], key: str, language: str) -> str:
    """A metric, kept in the address."""
    metric = address.select(
        "metric",
        names,
        key=key,
        label=t("lab.metric", language),
        words=lambda name: metric_name(name, language),
        width=320,
    )
    if said := meaning(metric, language):
        st.caption(said)
    return metric


def _frame(rows: Sequence[dict[str, Any]], name: str, metric: str) -> pd.DataFrame:
    """name, value, low, high of one metric."""
    found = []
    for row in rows:
        low, high = (row.get("ci95") or {}).get(metric) or (row.get(metric), row.get(metric))
        found.append({"name": str(row[name]), "value": row.get(metric), "low": low, "high": high})
    return pd.DataFrame(found)


def _shown(frame: pd.DataFrame, name: str, metric: str, language: str) -> pd.DataFrame:
    return frame.rename(
        columns={
            "name": name,
            "value": metric_name(metric, language),
            "low": t("lab.low", language),
            "high": t("lab.high", language),
        }
    )


def _chance(p: float) -> str:
    """A p value of 1,000 resamples: it is never less than one in a thousand, and is not known to be that.

    >>> _chance(0.0009995), _chance(0.0119)
    ('< .001', '.012')
    """
    return "< .001" if p < FLOOR else f"{p:.3f}".removeprefix("0")


def _table(rows: Sequence[dict[str, Any]], lead: Sequence[str], key: str, language: str) -> None:
    """Every number of every row."""
    names = metrics_of(rows)
    wide = pd.DataFrame(
        {
            **{t(f"lab.column_{name}", language): [str(row[name]) for row in rows] for name in lead},
            **{metric_name(name, language): [row.get(name) for row in rows] for name in names},
        }
    )
    with address.part(key, t("lab.all_numbers", language), icon=":material/table_rows:"):
        st.dataframe(wide, hide_index=True, key=key, alt=t("lab.all_numbers", language))
        csv_button(wide, key, language)


# --- accuracy ---------------------------------------------------------------------------------------------------------


def accuracy(result: dict[str, Any], language: str) -> None:
    """Models by one metric with intervals, then all numbers."""
    rows = result["rows"]
    name = t("lab.column_model", language)
    with st.container(border=True):
        metric = _choose([m for m in metrics_of(rows) if m not in COSTS], "lab_metric", language)
        frame = _frame(rows, "model", metric)
        figures(
            interval_chart(frame, metric_name(metric, language), language),
            _shown(frame, name, metric, language),
            key="lab_accuracy",
        )
        st.caption(t("lab.intervals_say", language))
        differ = [row for row in rows if row.get("versus_first") and metric in row["versus_first"]]
        if differ:
            told = listed((f"{row['model']} {_chance(row['versus_first'][metric])}" for row in differ), language)
            st.caption(t("lab.versus", language, first=rows[0]["model"], values=told))
    with st.container(border=True):
        st.subheader(t("lab.cost", language))
        st.markdown(t("lab.cost_says", language))
        wide = pd.DataFrame(
            {
                name: [row["model"] for row in rows],
                **{metric_name(cost, language): [row.get(cost) for row in rows] for cost in COSTS},
            }
        )
        st.dataframe(wide, hide_index=True, alt=t("lab.cost", language))
    _table(rows, ("model",), "lab_accuracy_all", language)


# --- faithfulness -----------------------------------------------------------------------------------------------------


def faithfulness(result: dict[str, Any], language: str) -> None:
    """Explainers by one metric with intervals; curves over the number of reasons; then all numbers."""
    rows = result["rows"]
    name = t("lab.column_explainer", language)
    with st.container(border=True):
        first = [m for m in ("del@5", "del@3") if m in rows[0]]
        names = [*first, *(m for m in metrics_of(rows) if m not in first)]
        metric = _choose(names, "lab_faith_metric", language)
        frame = _frame(_said(rows, language), "explainer", metric)
        figures(
            interval_chart(frame, metric_name(metric, language), language),
            _shown(frame, name, metric, language),
            key="lab_faithfulness",
        )
        st.caption(t("lab.intervals_say", language))
    curves = [row for row in _said(rows, language) if row.get("curves")]
    if curves:
        with st.container(border=True):
            _curves(curves, language)
    _table(_said(rows, language), ("explainer",), "lab_faithfulness_all", language)


def _said(rows: Sequence[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    """Explainers called as people call them."""
    return [{**row, "explainer": explainer_name(str(row["explainer"]), language)} for row in rows]


def _curves(rows: Sequence[dict[str, Any]], language: str) -> None:
    """One measure over K, the number of reasons masked or kept, a line an explainer."""
    st.subheader(t("lab.curves", language))
    names = [name for name, values in rows[0]["curves"].items() if name != "K" and isinstance(values, list)]
    metric = address.choose(
        "curve",
        names,
        key="lab_curve",
        label=t("lab.metric", language),
        words=lambda name: metric_name(name, language),
    )
    st.caption(meaning(metric, language))
    names_of = distinct([str(row["explainer"]) for row in rows])  # no two curves under one label
    frame = pd.DataFrame(
        [
            {"x": k, "series": name, "value": value}
            for name, row in zip(names_of, rows, strict=True)
            for k, value in zip(row["curves"]["K"], row["curves"][metric], strict=True)
        ]
    )
    title = metric_name(metric, language)
    figures(
        line_chart(frame, t("lab.reasons", language), title, language),
        frame.pivot_table(index="x", columns="series", values="value")
        .reset_index()
        .rename(columns={"x": t("lab.reasons", language)}),
        key="lab_curves",
    )


# --- training ---------------------------------------------------------------------------------------------------------


def training(result: dict[str, Any], language: str) -> None:
    """Loss, and the validation figure where there is one, epoch by epoch."""
    rows = pd.DataFrame(result["rows"])
    for model, own in rows.groupby("model", sort=False):
        with st.container(border=True):
            st.subheader(str(model))
            places = st.columns(2) if own["figure"].notna().any() else [st.container()]
            for place, column in zip(places, ("loss", "figure"), strict=False):
                title = t(f"lab.training_{column}", language)
                frame = pd.DataFrame({"x": own["epoch"], "series": title, "value": own[column]}).dropna()
                with place:
                    figures(
                        line_chart(frame, t("lab.epoch", language), title, language, height=220),
                        frame[["x", "value"]].rename(columns={"x": t("lab.epoch", language), "value": title}),
                        key=f"lab_training_{model}_{column}",
                    )
