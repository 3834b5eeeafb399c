"""What a field needs to watch, the questions that its list answers, and the article's claims, held against figures."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from xattn.app.scenarios.opened import Opened
from xattn.i18n import t
from xattn.i18n.numbers import percent
from xattn.scenarios import Claims, check_claims

__all__ = ["draw"]


def draw(one: Opened, language: str) -> None:
    """Draw this part of the page."""
    manifest = one.scenario.manifest
    st.subheader(t("scenarios.watch", language))
    st.markdown(manifest.watch.told(language))
    st.markdown(t("scenarios.questions", language))
    st.markdown("\n".join(f"- {question.told(language)}" for question in manifest.questions))
    if manifest.claim is None or manifest.holds is None:
        return
    with st.container(border=True, key="scenario_claim"):
        st.markdown(f"**{t('scenarios.claim', language)}** {manifest.claim.told(language)}")
        st.markdown(manifest.holds.told(language))
        with st.spinner(t("scenarios.checking", language)):
            found = _checked(one, one.label, one.found.data.checksum)
        _told(found, language)


@st.cache_data(show_spinner=False, max_entries=20)
def _checked(_one: Opened, label: str, checksum: str) -> Claims:
    return check_claims(_one.model, seen=_one.scenario.manifest.seen)


def _told(found: Claims, language: str) -> None:
    """Three sentences, and the same figures as a table."""
    figures: dict[str, tuple[dict[str, Any], float | None]] = {
        "points": (found.points, found.chance),
        "base": (found.base, None),
        "leaning": (found.leaning, found.events),
    }
    rows = []
    for name, (figure, beside) in figures.items():
        if figure["value"] is None:
            continue
        low, high = figure["ci95"] or (figure["value"],) * 2
        facts = {"n": found.people, "value": percent(figure["value"]), "low": percent(low), "high": percent(high)}
        if beside is not None:
            facts["beside"] = percent(beside)
        st.markdown(f"- {t(f'scenarios.claim_{name}', language, **facts)}")
        told = [percent(x) for x in (figure["value"], low, high)]
        rows.append((t(f"scenarios.claim_name_{name}", language), *told, "–" if beside is None else percent(beside)))
    columns = [t(f"scenarios.claim_column_{name}", language) for name in ("what", "value", "low", "high", "beside")]
    with st.container(key="scenario_claim_table"):
        st.dataframe(
            pd.DataFrame(rows, columns=columns),
            hide_index=True,
            alt=t("scenarios.claim", language),
        )
