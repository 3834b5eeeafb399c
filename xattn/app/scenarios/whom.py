"""Whom the lists of a scenario serve, and whom they serve worse: the report of groups, on the manifest's groups."""

from __future__ import annotations

from typing import Any

import streamlit as st

from xattn.app.lab import reports
from xattn.app.scenarios.opened import Opened
from xattn.app.ui import address
from xattn.i18n import t

__all__ = ["draw"]


def draw(one: Opened, language: str) -> None:
    """Draw this part of the page; it is closed at first, as the report takes some seconds."""
    manifest = one.scenario.manifest
    with address.part("groups", t("scenarios.groups", language), icon=":material/groups:") as box:
        if not box.open:
            return
        st.markdown(t("scenarios.groups_say", language))
        by = address.select(
            "by",
            one.scenario.groups_of(one.found),
            key=f"scenario_by_{manifest.name}",
            label=t("scenarios.groups_by", language),
            words=lambda name: _called(name, name not in manifest.groups, language),
            width=320,
        )
        with st.spinner(t("scenarios.grouping", language)):
            report = _report(one, one.label, one.found.data.checksum, by)
        reports.groups(report, language)


def _called(name: str, audit: bool, language: str) -> str:
    if audit:
        return t("scenarios.by_audit", language, name=name)
    return t(f"scenarios.by_{name}", language) if name in ("length", "taste", "item") else name


@st.cache_data(show_spinner=False, max_entries=40)
def _report(_one: Opened, label: str, checksum: str, by: str) -> dict[str, Any]:
    return _one.scenario.groups(_one.found, by, model=_one.model)
