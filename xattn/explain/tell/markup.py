"""HTML of a file of its own: texts escaped, tables, pictures inside the page. All text of others goes through here."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

from xattn.i18n import t
from xattn.viz.charts import Chart
from xattn.viz.files import can_draw, chart_file

__all__ = ["embedded", "image", "say", "table", "text_of", "title_of"]

LONGEST = 200  # characters of a title in a table


def say(key: str, lang: str, **values: object) -> str:
    """A text of the catalogue, escaped."""
    return text_of(t(key, lang, **values))


def text_of(text: Any) -> str:
    """Text as the page shows it: on one line, escaped, without characters that steer the reading."""
    plain = "".join(c if c.isprintable() else " " for c in str(text))
    return escape(plain)


def title_of(text: str) -> str:
    """A title in its own direction of writing, escaped."""
    short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return f'<bdi dir="auto">{text_of(short)}</bdi>'


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: set[int]) -> str:
    """A table of cells that are HTML already; the columns in `numbers` stand to the right.

    Without `heads` the first cell of each row is what the row is about.
    """
    kind = [' class="number"' if i in numbers else "" for i in range(len(rows[0]) if rows else len(heads))]
    head = "".join(f'<th scope="col"{kind[i]}>{name}</th>' for i, name in enumerate(heads))
    lines = []
    for row in rows:
        cells = [f"<td{kind[i]}>{cell}</td>" for i, cell in enumerate(row)]
        if not heads:
            cells[0] = f'<th scope="row">{row[0]}</th>'
        lines.append(f"<tr>{''.join(cells)}</tr>")
    body = "\n".join(lines)
    top = f"<thead><tr>{head}</tr></thead>\n" if heads else ""
    return f'<div class="wide"><table><caption>{caption}</caption>\n{top}<tbody>\n{body}\n</tbody></table></div>'


def image(chart: Chart, alt: str) -> str:
    """The chart as an SVG image inside the page; nothing where it cannot be drawn."""
    if not can_draw():
        return ""
    return embedded(chart_file(chart, "svg"), alt)


def embedded(picture: bytes, alt: str, mime: str = "image/svg+xml") -> str:
    """A picture inside the page, where nothing of it can act."""
    data = base64.b64encode(picture).decode("ascii")
    return f'<p><img alt="{text_of(alt)}" src="data:{mime};base64,{data}"></p>'
