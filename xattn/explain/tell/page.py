"""An explanation as one HTML file: text, charts and their tables, provenance, and the program that repeats it.

The page asks nobody for anything: no script, no network (its own policy forbids both). Charts are SVG images inside it,
drawn where vl-convert is installed (``pip install 'xattn[export]'``), else one card that needs no package; tables are
always there.
Titles are anybody's text, so everything is escaped, and shown in its own direction of writing.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from xattn.explain.tell.card import card
from xattn.explain.tell.export import made_with, model_facts
from xattn.explain.tell.markup import embedded, image, say, table, text_of, title_of
from xattn.explain.tell.page_parts import parts_sections
from xattn.explain.tell.snippet import Origin, snippet
from xattn.explain.tell.words import quotable
from xattn.i18n import t
from xattn.i18n.numbers import figure
from xattn.viz.charts import heat_chart, waterfall_chart, weight_chart
from xattn.viz.files import can_draw
from xattn.viz.frames import heat_frame, waterfall_frame, weight_frame
from xattn.viz.names import feature_name, head_name

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["page"]

MOST_CELLS = 300  # rows of the table of cells
CODES = {"en": "en", "zh": "zh-Hans"}
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, 'Noto Sans', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif;
  color: #22262d; background: #ffffff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2rem; }
p.said { font-size: 1.1rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .75rem 0; }
caption { text-align: start; font-weight: 600; padding: .25rem 0; }
th, td { text-align: start; padding: .25rem .5rem; border-bottom: 1px solid #d8d4ca; overflow-wrap: anywhere;
  vertical-align: top; }
td.number, th.number { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; }
img { max-width: 100%; height: auto; }
pre { background: #f5f3ee; padding: .75rem; overflow-x: auto; font-size: .85rem; }
mark { color: inherit; border-radius: 3px; padding: 0 .15em; } mark.for { background: #cfe3f7; }
mark.against { background: #f8dcc6; text-decoration: underline dotted; } mark.most { font-weight: 700; }
.wide { overflow-x: auto; } .note { color: #5b606b; }
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(ledger: Ledger, lang: str, depth: str, scenario: str, origin: Origin | None) -> str:
    """The whole file as text."""
    events = ledger.events()
    title = t("export.title", lang, title=quotable(ledger.title, lang))
    parts = [
        f"<h1>{text_of(title)}</h1>",
        f'<p class="said">{text_of(ledger.text(lang, depth, scenario))}</p>',
        _facts(ledger, lang),
        *_sum(ledger, events, lang),
        *_events(ledger, events, lang),
        *_cells(ledger, events, lang),
        *parts_sections(ledger, lang),
        *_provenance(ledger, lang),
        f"<h2>{say('export.reproduce', lang)}</h2>",
        f"<pre><code>{escape(snippet(ledger, origin))}</code></pre>",
    ]
    if not can_draw():
        parts.insert(2, embedded(card(ledger, lang, scenario=scenario).encode(), ledger.text(lang, depth, scenario)))
        parts.insert(3, f'<p class="note">{say("export.no_charts", lang)}</p>')
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="{CODES[lang]}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text_of(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        f'<footer><p class="note">{say("export.about", lang)}</p></footer>\n</body>\n</html>\n'
    )


def _facts(ledger: Ledger, lang: str) -> str:
    rank = say("export.unranked", lang) if ledger.rank is None else str(ledger.rank)
    rows = [
        [say("export.score", lang), figure(ledger.score)],
        [_term("base", lang), figure(ledger.base)],
        [say("export.rank", lang), rank],
        [say("export.list", lang), str(ledger.k)],
        [say("export.base_share", lang), f"{ledger.base_share:.1%}"],
        [say("export.effective", lang), figure(ledger.effective_events)],
        [say("export.confidence", lang), text_of(t(f"export.level_{ledger.confidence.level}", lang))],
    ]
    return table(say("export.facts", lang), [], rows, {1})


def _term(name: str, lang: str) -> str:
    return text_of(t(f"term.{name}", lang))


def _sum(ledger: Ledger, events: pd.DataFrame, lang: str) -> list[str]:
    frame = waterfall_frame(events, ledger.base, ledger.score, lang, amounts_are=ledger.amounts)
    rows = [[title_of(title), text_of(text)] for title, text in zip(frame["title"], frame["text"], strict=True)]
    heads = [say("export.event", lang), say("export.amount", lang)]
    chart = waterfall_chart(frame, lang)
    alt = t("chart.waterfall_alt", lang, n=len(frame))
    return [
        f"<h2>{say('export.sum', lang)}</h2>",
        image(chart, alt),
        table(say("export.sum", lang), heads, rows, {1}),
    ]


def _events(ledger: Ledger, events: pd.DataFrame, lang: str) -> list[str]:
    ranked = ledger.rank is not None
    heads = [
        say("export.event", lang),
        _term("weight", lang),
        _term("contribution", lang),
        _term("removal_effect", lang),
        text_of(t("why.score_without", lang)),
        *([text_of(t("why.rank_without", lang))] if ranked else []),
    ]
    rows = []
    columns = ("title", "weight", "contribution", "effect", "score_without", "rank_without")
    for title, weight, amount, effect, score, rank in zip(*(events[name].tolist() for name in columns), strict=True):
        row = [title_of(title), f"{weight:.1%}", figure(amount, sign=True), figure(effect, sign=True), figure(score)]
        rows.append([*row, str(rank)] if ranked else row)
    parts = [f"<h2>{say('export.events', lang)}</h2>"]
    if len(events):
        frame = weight_frame(events)
        parts.append(image(weight_chart(frame, lang), t("chart.weights_alt", lang, n=len(frame))))
    return [*parts, table(say("export.events", lang), heads, rows, set(range(1, len(heads))))]


def _cells(ledger: Ledger, events: pd.DataFrame, lang: str) -> list[str]:
    cells = ledger.cells
    if cells.empty:
        return []
    size = cells["contribution"].abs()
    shown = cells.loc[size.sort_values(ascending=False, kind="stable").index[:MOST_CELLS]]
    heads = [
        say("export.event", lang),
        _term("head", lang),
        say("export.feature", lang),
        *(_term(name, lang) for name in ("weight", "strength", "value", "gate", "contribution")),
    ]
    numbers = ("weight", "strength", "value", "gate", "contribution")
    rows = [
        [
            title_of(row["title"]),
            text_of(head_name(row["head"], lang)),
            text_of(feature_name(row["feature"], lang)),
            *(figure(row[name], sign=name == "contribution") for name in numbers),
        ]
        for row in shown.to_dict(orient="records")
    ]
    parts = [
        f"<h2>{say('export.cells', lang)}</h2>",
        image(heat_chart(heat_frame(cells, events, lang), lang), t("chart.heatmap_alt", lang)),
    ]
    if len(shown) < len(cells):
        parts.append(f'<p class="note">{say("export.cells_cut", lang, n=len(shown), all=len(cells))}</p>')
    return [*parts, table(say("export.cells", lang), heads, rows, {3, 4, 5, 6, 7})]


def _provenance(ledger: Ledger, lang: str) -> list[str]:
    model, data = model_facts(ledger), ledger.scorer.data_
    settings = ", ".join(f"{name}={value!r}" for name, value in model["settings"].items())
    versions = ", ".join(f"{name} {number or '?'}" for name, number in made_with().items())
    rows = [
        [say("export.model", lang), text_of(f"{model['class']}({settings})")],
        [say("export.hash", lang), text_of(model["sha256"] or "–")],
        [say("export.seed", lang), text_of("–" if model["seed"] is None else model["seed"])],
        [say("export.data", lang), text_of(repr(data))],
        [say("export.versions", lang), text_of(versions)],
    ]
    return [f"<h2>{say('export.made_with', lang)}</h2>", table(say("export.made_with", lang), [], rows, set())]
