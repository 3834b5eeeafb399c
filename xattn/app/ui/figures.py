"""A chart on a page with all that belongs to it: its description, the same numbers as a table, files to take away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from xattn.app.ui import address
from xattn.app.ui.exports import csv_bytes, file_name
from xattn.app.ui.language import lang
from xattn.i18n import t
from xattn.viz.attention import PICK
from xattn.viz.files import can_draw, chart_file, is_composed
from xattn.viz.unchecked import drawn

__all__ = ["csv_button", "figures", "twin"]


def figures(
    chart: Any,
    frame: pd.DataFrame,
    *,
    key: str,
    alt: str = "",
    width: int | None = None,
    on_select: Callable[[], None] | None = None,
    config: dict[str, Any] | None = None,
) -> None:
    """Show an Altair chart with its text twin: a table of the same numbers that opens below it, and files of both.

    A screen reader says the chart's own description, or `alt` in its place. Where the page is narrower than `width`
    pixels, the chart scrolls sideways. `key` names the chart on the page, in the session, and in the files' names; with
    `on_select` the chart's selections are there under it. `config` is that of the table's columns.
    """
    language = lang()
    says = alt or (chart.description if isinstance(chart.description, str) else t("app.chart", language))
    with st.grid(1, min_column_width=width, wrap=False) if width else nullcontext():
        st.altair_chart(
            drawn(chart, says),
            width="content" if is_composed(chart) else "stretch",
            theme="streamlit",
            key=key,
            on_select=on_select or "ignore",
            selection_mode=PICK if on_select else None,  # what is under the pointer is the chart's own affair
        )
    with address.part(key, t("app.as_table", language), icon=":material/table_rows:"):
        st.dataframe(frame, hide_index=True, alt=says, column_config=config)
        with st.container(horizontal=True):
            csv_button(frame, key, language)
            for kind, mime in (("svg", "image/svg+xml"), ("png", "image/png")) if can_draw() else ():
                st.download_button(
                    kind.upper(),
                    partial(chart_file, chart, kind),
                    file_name=file_name("xattn", key, suffix=kind),
                    mime=mime,
                    key=f"{key}_{kind}",
                    icon=":material/image:",
                    type="tertiary",
                    help=t("app.chart_file", language, kind=kind.upper()),
                    on_click="ignore",
                )


def csv_button(frame: pd.DataFrame, key: str, language: str) -> None:
    """A button that takes a table away as CSV, which no spreadsheet runs."""
    st.download_button(
        "CSV",
        lambda: csv_bytes(frame),
        file_name=file_name("xattn", key, suffix="csv"),
        mime="text/csv",
        key=f"{key}_csv",
        icon=":material/table:",
        type="tertiary",
        help=t("app.table_file", language),
        on_click="ignore",
    )


def twin(wide: pd.DataFrame, corner: str) -> pd.DataFrame:
    """A table whose row names are its first column, called `corner`: how `figures` lists it."""
    frame = wide.rename_axis(None, axis=1)
    frame.insert(0, corner, frame.index)
    return frame.reset_index(drop=True)
