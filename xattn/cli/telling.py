"""How `xattn explain` tells a ledger: its words, and the files that somebody takes away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from xattn.cli.options import grouped, language
from xattn.errors import check_choice, check_whole, refuse

if TYPE_CHECKING:
    from xattn import Ledger
    from xattn.explain import Origin
    from xattn.files import Content

__all__ = ["FILES", "TellingChoice", "telling_options"]

FILES = ("html", "save", "chart")


@dataclass(frozen=True)
class TellingChoice:
    """Language and form of the words, the files to write, a program instead; None where an option was not given."""

    lang: str
    most: int
    depth: str | None
    scenario: str | None
    html: str | None
    save: str | None
    chart: str | None
    kind: str | None
    parts: str | None
    program: bool

    def __post_init__(self) -> None:
        """Raise InputError for a word that is none of its kind, and for a chart that cannot be drawn."""
        check_whole("events", self.most, low=1)
        from xattn.explain import DEPTHS, SCENARIOS
        from xattn.viz.charts import CHARTS
        from xattn.viz.files import FORMATS, can_draw

        for name, known in (("depth", DEPTHS), ("scenario", SCENARIOS), ("kind", tuple(CHARTS))):
            if getattr(self, name) is not None:
                check_choice(name, getattr(self, name), known)
        if self.chart is not None:
            if self.chart_format not in FORMATS:
                refuse("chart_ending", got=self.chart)
            if not can_draw():
                refuse("chart_cannot_be_drawn")

    @property
    def words(self) -> tuple[str, str]:
        """Depth and scenario."""
        return self.depth or "paragraph", self.scenario or "films"

    @property
    def chart_format(self) -> str:
        """What the chart is drawn as, by the end of the file's name."""
        return PurePath(self.chart or "").suffix.casefold().lstrip(".")

    def write(self, ledger: Ledger, origin: Origin, paths: Mapping[str, Path]) -> None:
        """Write the files: all of them, or none."""
        from xattn.files import write_files
        from xattn.viz.files import chart_file

        depth, scenario = self.words
        contents: dict[str | Path, Content] = {}
        if "html" in paths:
            contents[paths["html"]] = ledger.to_html(self.lang, depth, scenario, origin)
        if "save" in paths:
            document = ledger.explanation(scenario=scenario, origin=origin)
            contents[paths["save"]] = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
        if "chart" in paths:
            chart = ledger.chart(self.kind or "waterfall", self.lang)
            contents[paths["chart"]] = chart_file(chart, self.chart_format)
        write_files(contents)


telling_options = grouped(
    "telling",
    TellingChoice,
    click.option(
        "--events",
        "most",
        type=int,
        default=20,
        show_default=True,
        metavar="N",
        help="How many events the table shows.",
    ),
    click.option("--depth", metavar="DEPTH", help="clause, sentence or paragraph.  [default: paragraph]"),
    click.option("--scenario", metavar="NAME", help="What people do with items: films, shop, …  [default: films]"),
    click.option("--html", metavar="FILE", help="Write a page that holds the whole explanation."),
    click.option("--save", metavar="FILE", help="Write explanation.json."),
    click.option("--chart", metavar="FILE", help="Draw the chart of --kind as FILE.svg or FILE.png."),
    click.option("--kind", metavar="KIND", help="waterfall, heatmap or weights.  [default: waterfall]"),
    click.option("--parts", metavar="BLOCK", help="Split what a column adds over words, marked in both texts."),
    click.option("--python", "program", is_flag=True, help="Print Python that gives the same numbers."),
    language,
)
