"""A ledger as a card: the three events that matter most, the rest, the base, and what a removal would do; as SVG, PNG
or one HTML page of one screen.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from xattn.errors import check_choice
from xattn.explain.tell.words import quotable
from xattn.i18n import LANGUAGES, t
from xattn.i18n.numbers import figure
from xattn.viz.card import THEMES, Line, card_svg
from xattn.viz.files import svg_to_png

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["card", "card_page", "card_png"]

REASONS = 3
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
CODES = {"en": "en", "zh": "zh-Hans"}


def card(ledger: Ledger, lang: str = "en", theme: str = "light", scenario: str = "films") -> str:
    """The card as SVG. Raises InputError for an unknown language or theme.

    The bars add up to the score: the largest contributions, all others together, and the base.
    """
    check_choice("lang", lang, LANGUAGES)
    check_choice("theme", theme, tuple(THEMES))
    events = ledger.events()
    order = events["contribution"].abs().sort_values(ascending=False, kind="stable").index
    first, others = events.loc[order[:REASONS]], events.loc[order[REASONS:]]
    lines = [
        Line(str(title), _printed(amount, ledger.score), float(amount), "for" if amount >= 0 else "against")
        for title, amount in zip(first["title"], first["contribution"], strict=True)
    ]
    if len(others):
        amount = float(others["contribution"].sum())
        kind = "rest" if amount >= 0 else "against"
        lines.append(Line(t("card.rest", lang, n=len(others)), _printed(amount, ledger.score), amount, kind))
    lines.append(Line(t("term.base", lang), _printed(ledger.base, ledger.score), ledger.base, "base"))
    said = ledger.text(lang, "sentence", scenario)
    return card_svg(_title(ledger, lang), said, lines, _foot(ledger, lang), theme=theme, lang=CODES[lang])


def card_png(ledger: Ledger, lang: str = "en", theme: str = "light", scenario: str = "films") -> bytes:
    """The card as PNG. Raises InputError as `card` does, and where the package that draws is missing."""
    return svg_to_png(card(ledger, lang, theme, scenario))


def card_page(ledger: Ledger, lang: str = "en", scenario: str = "films") -> str:
    """One HTML page of one screen with the card in it, light or dark as the reader's system is; and whole."""
    light, dark = (card(ledger, lang, theme, scenario) for theme in ("light", "dark"))
    grounds = [THEMES[theme].ground for theme in ("light", "dark")]
    return (
        f'<!doctype html>\n<html lang="{CODES[lang]}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(_title(ledger, lang))}</title>\n<style>body {{ margin: 0; min-height: 100vh; display: grid; "
        f"place-items: center; background: {grounds[0]}; }} svg {{ max-width: 96vw; max-height: 96vh; height: auto; }} "
        f".dark {{ display: none; }} @media (prefers-color-scheme: dark) {{ body {{ background: {grounds[1]}; }} "
        f".dark {{ display: block; }} .light {{ display: none; }} }}</style>\n</head>\n<body>\n"
        f'<main><div class="light">{light}</div>\n<div class="dark">{dark}</div></main>\n</body>\n</html>\n'
    )


def _title(ledger: Ledger, lang: str) -> str:
    title = quotable(ledger.title, lang)
    if ledger.rank is None:
        return t("export.title", lang, title=title)
    return t("card.title", lang, title=title, rank=ledger.rank)


def _printed(amount: float, score: float) -> str:
    """An amount, and what share of the score it is."""
    share = f" · {amount / score:.0%}" if score > 0 else ""
    return f"{figure(amount, sign=True)}{share}"


def _foot(ledger: Ledger, lang: str) -> str:
    """What is announced for the removal of the event that speaks most for the item; "" where none does."""
    events = ledger.events()
    if ledger.rank is None or not len(events) or events["contribution"].iloc[0] <= 0:
        return t("card.exact", lang)
    facts = {"title": quotable(str(events["title"].iloc[0]), lang), "rank": int(events["rank_without"].iloc[0])}
    return t("card.without", lang, **facts)
