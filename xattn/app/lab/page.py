"""The lab, for those who build recommenders: what was measured, how it was measured, and the means to do it again.

This file is the choice of a part, and what stands around each: where the numbers come from, and the run that renews
them. The parts are drawn by `results`, `reports`, `parts` and `models`.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from xattn.app import state
from xattn.app.lab import jobs, models, parts, reports, results
from xattn.app.lab.runs import Runs, Status, allowed, runs
from xattn.app.ui import address
from xattn.app.ui.language import lang
from xattn.app.ui.refusals import refusals
from xattn.app.ui.text import safe
from xattn.app.words import t
from xattn.evaluate.questions import questions_told
from xattn.i18n.joined import sentences

__all__ = ["render", "result_of"]

PART = "part"  # of the address
PARTS = {  # part: its jobs; the first that is chosen among several, none for a part that is computed at once
    "accuracy": ("next-item", "holdout"),
    "faithfulness": ("faithfulness", "attention-tests"),
    "attention": ("attention",),
    "popularity": ("popularity",),
    "groups": ("groups",),
    "threshold": ("threshold",),
    "training": ("training",),
    "parts": (),
    "models": (),
}
DRAWN = {
    "next-item": results.accuracy,
    "holdout": results.accuracy,
    "faithfulness": results.faithfulness,
    "attention": reports.attention,
    "popularity": reports.popularity,
    "groups": reports.groups,
    "threshold": reports.threshold,
    "attention-tests": reports.attention_tests,
    "training": results.training,
}

AT_ONCE = {"parts": parts.draw, "models": models.draw}


def render() -> None:
    """Draw the page."""
    language = lang()
    st.title(t("lab.title", language))
    status = runs().status  # before any result: where a run ends from here on, the page is drawn again
    seen = result_of("attention")
    if seen is not None and (said := reports.finding(seen, language)):
        st.markdown(f"**{said}**")
    st.markdown(t("lab.intro", language))
    part = address.choose(
        PART,
        tuple(PARTS),
        key="lab_part",
        label=t("lab.part", language),
        words=lambda name: t(f"lab.part_{name}", language),
    )
    st.markdown(t(f"lab.says_{part}", language))
    with refusals():
        if not PARTS[part]:
            AT_ONCE[part](language)
            return
        job = _job(part, language)
        result = result_of(job)
        _source(job, status, result, language)
        if result is None:
            st.info(t("lab.nothing_kept", language), icon=":material/experiment:")
            return
        DRAWN[job](result, language)


def _job(part: str, language: str) -> str:
    """Which of a part's results, where it has several."""
    if len(PARTS[part]) == 1:
        return PARTS[part][0]
    return address.choose(
        "protocol",
        PARTS[part],
        key=f"lab_protocol_{part}",
        label=t("lab.protocol", language),
        words=lambda name: t(f"lab.job_{name}", language),
    )


def result_of(job: str) -> dict[str, Any] | None:
    """The newest result of a job: from a run of this server, else the kept one."""
    return runs().results.get(job) or (None if state.own() else _kept(job))


@st.cache_data(show_spinner=False, max_entries=32)
def _kept(job: str) -> dict[str, Any] | None:
    return jobs.stored(job)


# --- run again --------------------------------------------------------------------------------------------------------


def _source(job: str, status: Status, result: dict[str, Any] | None, language: str) -> None:
    """What the numbers are of, and the button that makes them anew."""
    found = runs()
    if result is not None:
        facts = {"data": safe(result.get("dataset", "–")), "model": safe(result.get("model", "–"))}
        key = "lab.source_model" if "model" in result else "lab.source"
        said = [t(key, language, **facts)]
        if "users" in result:
            numbers = {name: f"{result[name]:,}" for name in ("users", "items", "events")}
            said.append(t("lab.sizes", language, **numbers))
        said += questions_told(result, language)
        said.append(t("lab.fresh" if job in found.results else "lab.stored", language))
        st.caption(sentences(said, language))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("lab.run", language),
            key="lab_run",
            icon=":material/refresh:",
            disabled=status.state == "running" or not allowed(),
            help=t("lab.run_help" if allowed() else "lab.run_off", language),
            on_click=_start,
            args=(job,),
        )
        with st.popover(t("lab.command", language), icon=":material/terminal:"):
            st.caption(t("lab.command_help", language))
            model = "" if state.own() is None else " --model yours.npz"
            st.code(f"python -m xattn.app.lab.jobs {job}{model} --out {job}.json", language="bash")
    _progress(found, status, language)


def _start(job: str) -> None:
    runs().start(job)


def _progress(found: Runs, status: Status, language: str) -> None:
    """How the newest run is going, drawn again every second while it goes on; its end, as of `status`."""
    if status.state == "running":
        st.fragment(_going, run_every="1s")(found, language)
    elif status.state != "idle":
        show = st.success if status.state == "done" else st.warning
        job = t(f"lab.job_{status.job}", language)
        show(t(f"lab.run_{status.state}", language, job=job), icon=":material/experiment:")


def _going(found: Runs, language: str) -> None:
    status = found.status
    if status.state != "running":
        st.rerun()
    job = t(f"lab.job_{status.job}", language)
    st.progress(status.share, t("lab.running", language, job=job, share=f"{status.share:.0%}", what=safe(status.what)))
    st.button(t("lab.cancel", language), key="lab_cancel", icon=":material/stop:", on_click=found.cancel)
