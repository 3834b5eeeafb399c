"""The article's printed numbers beside the exact ones, and its errata, told as one would tell a colleague."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from xattn import worked_example
from xattn.app.learn.sheet import Sheet
from xattn.app.ui import address
from xattn.i18n import t
from xattn.model.example import SCORES, Steps
from xattn.viz.digits import digits

__all__ = ["article_sheet", "errata", "is_its_own", "printed"]


def article_sheet() -> Sheet:
    """The article's numbers."""
    example = worked_example()
    return Sheet(example.query, example.keys, example.items)


def is_its_own(sheet: Sheet) -> bool:
    """The sheet is the article's example, so its printed numbers can stand beside the exact ones."""
    return sheet == article_sheet()


def printed(sheet: Sheet, step: str, language: str) -> None:
    """For the article's own example: a small table of what it prints for `step` (scores, weights, fused,
    recommendation), what is exact, and what its rounded weights give."""
    if not is_its_own(sheet):
        return
    example = worked_example()
    exact = Steps(example.weights, example.fused, example.recommendation)
    if step == "scores":
        rows = {"printed": SCORES, "exact": example.scores}
    else:
        rows = {name: getattr(steps, step) for name, steps in (("printed", example.printed), ("exact", exact))}
        if step != "weights":
            rows["rounded"] = getattr(example.rounded, step)
    labels = {
        "printed": t("worked.printed", language),
        "exact": t("worked.exact", language),
        "rounded": t("worked.rounded", language),
    }
    letter = {"scores": "s", "weights": "a"}.get(step, "")
    frame = pd.DataFrame(
        [[*map(digits, row)] for row in rows.values()],
        index=[labels[name] for name in rows],
        columns=[f"{letter}{i + 1}" for i in range(len(rows["exact"]))],
    )
    st.markdown(f"**{t('worked.compare', language)}**")
    st.table(frame, width="content", border="horizontal", alt=t("worked.compare", language))


def errata(language: str, *, open_: bool) -> None:
    """All errata of the article, in its order; the numbers come from the library."""
    with address.part("errata", t("worked.errata", language), icon=":material/edit_note:", start=open_):
        st.markdown(t("worked.errata_intro", language))
        for erratum in worked_example().errata:
            says = t(f"worked.erratum.{erratum.id}", language)
            vectors = {
                t("worked.printed", language): erratum.printed,
                t("worked.exact", language) if erratum.printed else t("worked.used", language): erratum.exact,
                t("worked.rounded", language): erratum.rounded if erratum.rounded != erratum.printed else (),
            }
            numbers = " · ".join(f"{name} {_brackets(vector)}" for name, vector in vectors.items() if vector)
            section = t("worked.section", language, section=erratum.section)
            st.markdown(f"- **{section}** {says}" + (f"  \n  {numbers}" if numbers else ""))


def _brackets(vector: tuple[float, ...]) -> str:
    return "\\[" + ", ".join(map(digits, vector)) + "\\]"
