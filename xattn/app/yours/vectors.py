"""The first way: behaviour typed as vectors. A profile attends to events; the fused profile finds the nearest items.

profile q (d,)   events x_i (n, d), keys and values at once   items y_j (m, d), in the same named features
"""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import streamlit as st

from xattn import attend
from xattn.app.learn import swap
from xattn.app.learn.draft import Draft
from xattn.app.learn.edits import sentence
from xattn.app.learn.sheet import MOST_COLUMNS, MOST_NAME, Sheet, decode, encode
from xattn.app.learn.sizes import with_columns
from xattn.app.learn.snippet import of_sheet
from xattn.app.ui import snippet, undo
from xattn.app.ui.editors import Names, feature_row, named_table
from xattn.app.ui.fields import number_field
from xattn.app.ui.figures import figures, twin
from xattn.app.ui.pinned import control
from xattn.app.ui.session import FEATURES, widget
from xattn.app.ui.text import safe
from xattn.app.yours import comparison, vector_tools
from xattn.errors import InputError, check_whole, refuse
from xattn.i18n import LANGUAGES, t
from xattn.model.example import nearest_item
from xattn.viz import attention as charts
from xattn.viz.digits import digits

__all__ = ["PARAM", "draw", "sample"]

PARAM = "events"  # of the address
WIDGETS = ("features", "scorer", "temperature")
SCORERS = ("dot", "scaled_dot", "cosine")  # those without parameters of their own
SAMPLE = Sheet(
    query=(1.0, 0.2, 0.5, 0.1),
    keys=((0.9, 0.0, 0.1, 0.2), (0.0, 1.0, 0.0, 0.1), (0.7, 0.0, 0.6, 0.3), (0.1, 0.1, 0.0, 0.9)),
    items=(
        (0.9, 0.0, 0.0, 0.2),
        (0.1, 1.0, 0.0, 0.0),
        (0.6, 0.0, 0.8, 0.0),
        (0.1, 0.6, 0.0, 0.9),
        (0.8, 0.0, 0.1, 0.8),
    ),
    scorer="dot",
    temperature=0.5,
)


def draw(language: str) -> None:
    """Draw the editors and what follows from them. Raises InputError where the numbers cannot be attended to."""
    _open(language)
    with st.container(border=True):
        sheet = _inputs(language)
    link = DRAFT.publish(sheet, sample(language), ("profile", "events", "items"), map(_widget, WIDGETS))
    kept = control("against", sheet, encode, _read, DRAFT.load, language) if link is not None else None
    if not sheet.keys:
        st.info(t("behaviour.no_events", language), icon=":material/playlist_add:")
        return
    if kept is not None and kept != sheet:
        comparison.sheets(kept, sheet, language)
    _results(sheet, language)


def _read(link: str) -> Sheet:
    """A sheet of this page. Raises InputError for any other text."""
    sheet = decode(link)
    if not (sheet.features and sheet.events and sheet.titles) or sheet.scorer not in SCORERS:
        refuse("link_unnamed")
    return sheet


# --- state ------------------------------------------------------------------------------------------------------------


def sample(language: str) -> Sheet:
    """The example that stands there at first, named in `language`."""
    return replace(
        SAMPLE,
        features=_parts(t("behaviour.sample_features", language)),
        events=_parts(t("behaviour.sample_events", language)),
        titles=_parts(t("behaviour.sample_items", language)),
    )


def _parts(text: str) -> Names:
    return tuple(part.strip() for part in text.split("|"))


def _open(language: str) -> None:
    DRAFT.open(sample(language), t("behaviour.bad_link", language))
    if DRAFT.now in [sample(other) for other in LANGUAGES if other != language]:
        DRAFT.load(sample(language))  # an untouched example follows the language


def _widget(name: str) -> str:
    return f"behaviour_{name}"


def _fill(sheet: Sheet) -> None:
    FEATURES.set(", ".join(sheet.features))
    for name in ("scorer", "temperature"):
        widget(_widget(name)).set(getattr(sheet, name))


DRAFT = Draft("behaviour", PARAM, _read, _fill)


def _rename() -> None:
    """Give the columns the names that were typed; more names add columns of zeros, fewer drop columns."""
    typed = FEATURES.get().replace("，", ",").replace("、", ",").split(",")
    features = tuple(
        dict.fromkeys(name.strip()[:MOST_NAME] for name in typed if name.strip().isprintable() and name.strip())
    )
    try:
        d = check_whole("number of features", len(features), low=1, high=MOST_COLUMNS)
    except InputError:
        DRAFT.load(DRAFT.now)
        return
    DRAFT.load(replace(with_columns(DRAFT.now, d), features=features))


# --- inputs -----------------------------------------------------------------------------------------------------------


def _inputs(language: str) -> Sheet:
    base = DRAFT.base
    st.text_input(
        t("behaviour.features", language),
        key=FEATURES.name,
        on_change=_rename,
        max_chars=400,
        help=t("behaviour.features_help", language),
    )
    query = feature_row(DRAFT.key("profile"), base.query, base.features, t("behaviour.profile", language))
    events, keys = named_table(
        DRAFT.key("events"),
        base.events,
        base.keys,
        base.features,
        t("behaviour.events", language),
        name=t("behaviour.event", language),
        new=t("behaviour.new_event", language),
    )
    titles, items = named_table(
        DRAFT.key("items"),
        base.titles,
        base.items,
        base.features,
        t("behaviour.items", language),
        name=t("worked.item", language),
        new=t("behaviour.new_item", language),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        scorer = st.selectbox(
            t("term.scorer", language),
            SCORERS,
            format_func=lambda name: t(f"term.{name}", language),
            key="behaviour_scorer",
            help=t("meaning.scorer", language),
            width=220,
        )
        typed: float | None = number_field(
            t("term.temperature", language),
            step=0.1,
            format="%.2f",
            key="behaviour_temperature",
            help=t("meaning.temperature", language),
            width=150,
        )
        st.button(
            t("behaviour.reset", language),
            icon=":material/restart_alt:",
            key="behaviour_reset",
            on_click=lambda: DRAFT.load(sample(language)),
        )
    sheet = Sheet(
        query,
        keys,
        items,
        scorer=scorer,
        temperature=math.nan if typed is None else typed,
        features=base.features,
        events=events,
        titles=titles,
    )
    DRAFT.take(sheet)
    vector_tools.uneven(sheet, DRAFT.load, language)
    with st.container(horizontal=True, vertical_alignment="center"):
        undo.bar(DRAFT.page, DRAFT.load, sentence, language)
        vector_tools.paste(sheet, DRAFT.load, language)
        snippet.popover(of_sheet(sheet), language)
    return sheet


# --- results ----------------------------------------------------------------------------------------------------------


def _results(sheet: Sheet, language: str) -> None:
    result = attend(sheet.query, sheet.keys, sheet.keys, scorer=sheet.scorer, temperature=sheet.temperature)
    if len(sheet.keys) == 1:
        st.warning(t("behaviour.one_event", language), icon=":material/hourglass_empty:")
    with st.container(border=True):
        st.subheader(t("behaviour.attention", language))
        st.markdown(t("behaviour.attention_says", language))
        frame = charts.table(sheet.events, [t("chart.attention_weight", language)], result.weights[:, None])
        figures(
            charts.weight_chart(sheet.events, result.weights, language),
            twin(frame, t("behaviour.event", language)),
            key="behaviour_weights_chart",
        )
    with st.container(border=True):
        st.subheader(t("behaviour.fused", language))
        st.markdown(t("behaviour.fused_says", language))
        wide = charts.contribution_table(sheet.events, sheet.features, result.contributions, result.fused)
        figures(
            charts.contribution_chart(wide, language),
            twin(wide, t("behaviour.event", language)),
            key="behaviour_contributions_chart",
            width=charts.cell_width(wide.shape[1], list(wide.index)),
        )
    with st.container(border=True):
        st.subheader(t("behaviour.nearest", language))
        _nearest(sheet, result.fused.tolist(), language)


def _nearest(sheet: Sheet, fused: list[float], language: str) -> None:
    """Items by distance from the fused profile, the nearest first."""
    if not sheet.items:
        st.info(t("behaviour.no_items", language), icon=":material/playlist_add:")
        return
    near = nearest_item(fused, sheet.items)
    best = near.euclidean
    st.success(
        t(
            "worked.nearest",
            language,
            name=safe(sheet.titles[best]),
            distance=digits(near.distances[best]),
            cosine=digits(near.cosines[best]),
        ),
        icon=":material/recommend:",
    )
    frame = pd.DataFrame(
        {
            t("worked.item", language): sheet.titles,
            t("worked.distance", language): near.distances,
            t("worked.cosine", language): near.cosines,
        }
    ).sort_values(t("worked.distance", language), kind="stable")
    numbers = {
        t(key, language): st.column_config.NumberColumn(format="%.5f") for key in ("worked.distance", "worked.cosine")
    }
    st.dataframe(frame, hide_index=True, column_config=numbers, alt=t("behaviour.nearest", language))
    swap.control(
        sheet,
        swap.of_events,
        near.distances,
        sheet.titles,
        sheet.events,
        sheet.features,
        DRAFT.load,
        language,
        key="behaviour",
    )
