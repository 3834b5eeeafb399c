"""Satisfaction on the page: guess what a removal does, see the ledger, guess again; the questionnaire; the figures.

All answers go into the store of the visit, and every figure comes from it. A service has its own store: its report is
`GET /satisfaction`, or `xattn satisfaction`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app.live.stage import Stage
from xattn.app.ui.figures import figures
from xattn.app.ui.session import LIVE_ANSWER, LIVE_GUESS, LIVE_SEEN, LIVE_TRUTH
from xattn.app.ui.text import spoken
from xattn.app.words import t
from xattn.i18n.titles import natural
from xattn.live.satisfaction import CONSTRUCTS, form
from xattn.live.satisfaction.guesses import OUTCOMES
from xattn.live.satisfaction.rates import KINDS
from xattn.viz.lab import interval_chart

__all__ = ["draw"]


def draw(own: Stage, language: str) -> None:
    """Draw the three parts."""
    with st.container(border=True):
        st.subheader(t("live.guess_title", language))
        _guess(own, language)
    with st.container(border=True):
        st.subheader(t("live.form_title", language))
        _form(own, language)
    with st.container(border=True):
        st.subheader(t("live.report_title", language))
        _report(own.live.satisfaction(), language)


# --- guesses ----------------------------------------------------------------------------------------------------------


def _guess(own: Stage, language: str) -> None:
    history, values = own.person.shown, own.values
    met = list(dict.fromkeys(history.item[np.flatnonzero(history.live)].tolist()))
    if not met or not len(values):
        st.info(t("live.guess_none", language), icon=":material/hourglass_empty:")
        return
    titles = own.data.items.titles
    sums = {item: float(np.abs(values[:, history.item == item]).sum()) for item in met}
    event = sorted(met, key=lambda item: -sums[item])[0]
    place = int(np.argmax(values[:, history.item == event].sum(axis=1)))
    one = own.served.items[place]
    asked = (own.served.list_id, one.item, event)
    if LIVE_SEEN.get() is None or LIVE_SEEN.get()[0] != asked:
        LIVE_SEEN.set((asked, None))
        LIVE_TRUTH.take()
    names = {
        "item": spoken(own.title(one.item), 60),
        "event": spoken(titles[event], 60),
        "rank": one.rank,
        "k": len(own.served.items),
    }
    st.markdown(t("live.guess_ask", language, **names))
    before = LIVE_SEEN.get()[1]
    if before is None:
        _outcomes(t("live.guess_before", language), "before", language)

        def seen() -> None:
            LIVE_SEEN.set((asked, LIVE_GUESS.of("before").get()))

        st.button(t("live.guess_see", language), key="live_guess_see", type="primary", on_click=seen)
        return
    ledger = pd.DataFrame(
        {
            t("live.column_event", language): [natural(titles[item]) for item in met],
            t("term.contribution", language): [float(values[place, history.item == item].sum()) for item in met],
        }
    )
    amount = t("term.contribution", language)
    st.dataframe(
        ledger.sort_values(amount, ascending=False, kind="stable"),
        hide_index=True,
        height=260 if len(ledger) > 6 else "auto",
        column_config={amount: st.column_config.NumberColumn(format="%+.5f")},
        alt=t("live.guess_ledger", language),
    )
    st.caption(t("live.guess_sum", language, score=one.score, base=one.base))
    if LIVE_TRUTH.get() is None:
        _outcomes(t("live.guess_after", language), "after", language)

        def told() -> None:
            answers = {"item": one.item, "event": own.data.items.ids[event], "before": before}
            answers["after"] = LIVE_GUESS.of("after").get()
            LIVE_TRUTH.set(own.answer("removal", answers, language))

        st.button(t("live.guess_tell", language), key="live_guess_tell", type="primary", on_click=told)
        return
    truth = t(f"satisfaction.outcome_{LIVE_TRUTH.get()}", language)
    st.success(t("live.guess_truth", language, truth=truth), icon=":material/fact_check:")


def _outcomes(label: str, which: str, language: str) -> None:
    key = LIVE_GUESS.of(which)
    if key.get() not in OUTCOMES:
        key.set(OUTCOMES[0])
    st.radio(label, OUTCOMES, key=key.name, format_func=lambda name: t(f"satisfaction.outcome_{name}", language))


# --- the questionnaire ------------------------------------------------------------------------------------------------


def _form(own: Stage, language: str) -> None:
    asked = form(language)
    words = {one["value"]: one["text"] for one in asked["answers"]}
    st.caption(t("live.form_say", language))
    with st.form("live_form", border=False):
        for construct in CONSTRUCTS:
            st.markdown(f"**{t(f'satisfaction.construct_{construct}', language)}**")
            for question in asked["questions"]:
                if question["construct"] == construct:
                    st.segmented_control(
                        question["text"],
                        list(words),
                        key=LIVE_ANSWER.of(question["id"]).name,
                        format_func=words.__getitem__,
                    )
        if st.form_submit_button(t("live.form_send", language), type="primary", icon=":material/send:"):
            found = {one["id"]: LIVE_ANSWER.of(one["id"]).get() for one in asked["questions"]}
            given = {name: int(value) for name, value in found.items() if value is not None}
            if given:
                own.answer("satisfaction", given, language)
                st.success(t("live.form_thanks", language, n=len(given)), icon=":material/check:")
            else:
                st.warning(t("live.form_empty", language), icon=":material/edit:")


# --- the figures ------------------------------------------------------------------------------------------------------


def _report(found: dict[str, Any], language: str) -> None:
    sizes = {name: found[name] for name in ("lists", "people", "answered")}
    st.markdown(t("satisfaction.opening", language, **sizes))
    rows = found["rates"]["by_position"]
    kinds = {kind: t(f"satisfaction.kind_{kind}", language) for kind in KINDS}
    table = pd.DataFrame(
        [
            {
                t("satisfaction.by_position", language): row["group"],
                t("satisfaction.shown", language): row["shown"],
                **{kinds[kind]: _share(row[kind]) for kind in KINDS},
            }
            for row in rows
        ]
    )
    st.dataframe(table, hide_index=True, alt=t("live.rates_alt", language))
    answered = [row for row in found["constructs"] if row["people"]]
    if answered:
        names = {row["construct"]: t(f"satisfaction.construct_{row['construct']}", language) for row in answered}
        frame = pd.DataFrame(
            [
                {
                    "name": names[row["construct"]],
                    "value": row["mean"]["value"],
                    "low": (row["mean"]["ci95"] or [row["mean"]["value"]])[0],
                    "high": (row["mean"]["ci95"] or [row["mean"]["value"]])[-1],
                    "α": row["alpha"]["value"],
                    "ω": row["omega"]["value"],
                }
                for row in answered
            ]
        )
        title = t("satisfaction.mean", language)
        figures(
            interval_chart(frame, title, language, sort=False),
            frame.rename(columns={"name": t("satisfaction.construct", language), "value": title}),
            key="live_constructs",
        )
    own = found["agreement"]
    if own["guesses"]:
        told = {name: _share(own[name]) for name in ("before", "after", "gain")}
        st.markdown(t("satisfaction.agreement", language, guesses=own["guesses"], **told))
    else:
        st.caption(t("satisfaction.no_guesses", language))
    st.caption(t("live.report_say", language))


def _share(found: dict[str, Any]) -> str:
    """A share with its interval.

    >>> _share({"value": 0.5, "ci95": [0.25, 0.75], "n": 8})
    '50% (25–75%)'
    """
    if found["value"] is None:
        return "–"
    ends = "" if found["ci95"] is None else f" ({100 * found['ci95'][0]:.0f}–{100 * found['ci95'][1]:.0f}%)"
    return f"{found['value']:.0%}{ends}"
