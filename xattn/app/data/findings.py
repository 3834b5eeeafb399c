"""What was found in the tables: each with its rows and its cost, and buttons that settle it."""

from __future__ import annotations

import streamlit as st

from xattn.app.data.options import settled as with_option
from xattn.app.data.options import unsettled, ways
from xattn.app.data.outcome import Outcome
from xattn.app.ui import address
from xattn.app.ui.session import OPTIONS
from xattn.app.ui.text import safe
from xattn.data.reading.report import Finding
from xattn.i18n import is_text, t
from xattn.i18n.joined import listed, said

__all__ = ["draw", "settled"]

LOOKS = {"error": (":material/error:", "red"), "warning": (":material/warning:", "orange")}
NOTE = (":material/info:", "gray")
WAYS_AT_ONCE = 6


def draw(outcome: Outcome, language: str) -> None:
    """One box a finding, the gravest first."""
    found = () if outcome.report is None else outcome.report.all_findings
    if not found:
        return
    grave = any(finding.severity != "note" for finding in found)
    with address.part(
        "findings", t("mine.findings", language, n=len(found)), icon=":material/fact_check:", start=grave
    ):
        for at, finding in enumerate(found):
            _one(at, finding, language)


def _one(at: int, finding: Finding, language: str) -> None:
    icon, colour = LOOKS.get(finding.severity, NOTE)
    with st.container(border=True, key=f"data_finding_{at}"):
        st.markdown(
            f":{colour}-badge[{icon} {t(f'data.severity.{finding.severity}', language)}] "
            f"{safe(finding.sentence(language), 600)}"
        )
        facts = [safe(finding.where(language), 120)] if finding.rows else []
        if finding.share > 0:
            facts.append(t("mine.costs", language, share=f"{finding.share:.2%}"))
        elif finding.severity != "error":
            facts.append(t("mine.costs_nothing", language))
        st.caption(" · ".join(facts))
        offered = ways(finding)
        if offered:
            with st.container(horizontal=True):
                for option, value in offered[: WAYS_AT_ONCE + 2]:
                    st.button(
                        t(f"mine.do_{option}", language, value=safe(_words(option, value, language), 60)),
                        key=f"data_settle_{at}_{value}",
                        icon=":material/check:",
                        help=safe(f"{option} = {value}", 200),
                        on_click=_settle,
                        args=(option, value),
                    )
        elif finding.action is not None:
            st.caption(t("mine.settle_elsewhere", language, option=safe(finding.action.command, 200)))


def _settle(option: str, value: str) -> None:
    OPTIONS.set(with_option(OPTIONS.get(), option, value))


def settled(options: dict[str, object], language: str) -> None:
    """What was settled so far, each to be taken back."""
    if not options:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(t("mine.settled", language), width="content")
        for name, value in options.items():
            words = _words(name, value, language)
            says = f"mine.do_{name}"
            known = is_text(says)
            st.button(
                t(says, language, value=safe(words, 60)) if known else said(safe(name), safe(words, 80), language),
                key=f"data_unsettle_{name}",
                icon=":material/undo:",
                help=t("mine.take_back", language),
                on_click=_take_back,
                args=(name,),
            )


def _words(name: str, value: object, language: str) -> str:
    """What an option was settled to: columns by their roles in the visitor's language."""
    if name == "columns" and isinstance(value, str):
        value = with_option({}, name, value)[name]
    if not isinstance(value, dict):
        return str(value)
    roles = {key: t(f"data.role.{key}", language) if name == "columns" else key for key in value}
    return listed((f"{roles[key]} ← {own or '–'}" for key, own in value.items()), language)


def _take_back(name: str) -> None:
    OPTIONS.set(unsettled(OPTIONS.get(), name))
