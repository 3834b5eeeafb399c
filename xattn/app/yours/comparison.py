"""Two settings of one's own vectors side by side: the one that was kept, and the present one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from xattn import attend
from xattn.app.learn.sheet import Sheet
from xattn.app.ui.figures import figures
from xattn.app.words import t
from xattn.errors import XattnError
from xattn.model.example import nearest_item
from xattn.viz.attention import distinct
from xattn.viz.digits import digits
from xattn.viz.lab import share_chart

__all__ = ["sheets"]


def sheets(kept: Sheet, now: Sheet, language: str) -> None:
    """Weights of the events, fused profiles and nearest items of two sheets."""
    try:
        found = [attend(s.query, s.keys, s.keys, scorer=s.scorer, temperature=s.temperature) for s in (kept, now)]
    except XattnError:
        return  # the present one says by itself what is wrong with it
    sides = (t("pinned.kept", language), t("pinned.now", language))
    with st.container(border=True, key="behaviour_beside"):
        st.subheader(t("pinned.title", language))
        frame = pd.DataFrame(
            [
                {"group": name, "series": side, "value": float(weight)}
                for side, sheet, one in zip(sides, (kept, now), found, strict=True)
                for name, weight in zip(distinct(sheet.events), one.weights, strict=True)
            ]
        )
        wide = frame.pivot_table(index="group", columns="series", values="value", sort=False).reset_index()
        figures(
            share_chart(frame, t("chart.attention_weight", language), language),
            wide[["group", *sides]].rename(columns={"group": t("behaviour.event", language)}),
            key="behaviour_beside_chart",
        )
        features = list(dict.fromkeys([*kept.features, *now.features]))
        pairs = list(zip((kept, now), found, strict=True))
        fused = [dict(zip(sheet.features, one.fused.tolist(), strict=True)) for sheet, one in pairs]
        table = pd.DataFrame(
            {
                t("behaviour.features_short", language): features,
                **{side: [_number(own.get(name)) for name in features] for side, own in zip(sides, fused, strict=True)},
            }
        )
        left, right = st.columns(2)
        with left:
            st.markdown(f"**{t('behaviour.fused', language)}**")
            st.dataframe(table, hide_index=True, alt=t("behaviour.fused", language))
        with right:
            st.markdown(f"**{t('behaviour.nearest', language)}**")
            nearest = [_order(sheet, one.fused.tolist()) for sheet, one in pairs]
            most = max(map(len, nearest))
            ranks = pd.DataFrame(
                {
                    t("behaviour.rank", language): range(1, most + 1),
                    **{side: [*own, *["–"] * (most - len(own))] for side, own in zip(sides, nearest, strict=True)},
                }
            )
            st.dataframe(ranks, hide_index=True, alt=t("behaviour.nearest", language))


def _number(x: float | None) -> str:
    return "–" if x is None else digits(x)


def _order(sheet: Sheet, fused: list[float]) -> list[str]:
    """Titles of the items, the nearest first."""
    if not sheet.items:
        return []
    near = nearest_item(fused, sheet.items)
    return [sheet.titles[i] for i in sorted(range(len(sheet.items)), key=lambda i: near.distances[i])]
