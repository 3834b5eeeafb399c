"""The options that say how a table is to be read, shared by every command that takes --ratings."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from xattn.cli.screen import note_at_the_end
from xattn.errors import refuse

if TYPE_CHECKING:
    from xattn import Interactions

__all__ = ["READING", "ReadingChoice", "read_told", "reported"]


@dataclass(frozen=True, kw_only=True)
class ReadingChoice:
    """What is said about the columns and the values of a table; nothing leaves it to the table."""

    columns: tuple[str, ...] = ()
    scale: str | None = None
    unrated: tuple[str, ...] = ()
    amount: str | None = None
    event_weights: tuple[str, ...] = ()
    time_format: str | None = None
    encoding: str | None = None
    missing: str = "refuse"
    repeats: str = "keep"
    drop: tuple[str, ...] = ()
    query: str | None = None
    quiet: bool = False

    @property
    def said(self) -> dict[str, Any]:
        """The options that were given, by their names; all but --quiet are about a table."""
        values = {field.name: getattr(self, field.name) for field in fields(ReadingChoice) if field.name != "quiet"}
        plain = {field.name: field.default for field in fields(ReadingChoice)}
        return {name.replace("_", "-"): value for name, value in values.items() if value != plain[name]}

    def options(self) -> dict[str, Any]:
        """These choices as arguments of `read_interactions`. Raises InputError for what is no NAME=VALUE."""
        return {
            "columns": _pairs("columns", self.columns, "user=visitorid") or None,
            "scale": self.scale,
            "unrated": list(self.unrated) or None,
            "amount": self.amount,
            "event_weights": self.weights() or None,
            "time_format": self.time_format,
            "encoding": self.encoding,
            "missing": self.missing,
            "repeats": self.repeats,
            "drop": list(self.drop),
            "query": self.query,
        }

    @property
    def stated(self) -> dict[str, Any]:
        """The arguments of `read_interactions` that were given, without those that are as they are by themselves."""
        plain = ReadingChoice().options()
        return {name: value for name, value in self.options().items() if value != plain[name]}

    def weights(self) -> dict[str, float]:
        """The weight of each type of events that is named."""
        found: dict[str, float] = {}
        for name, text in _pairs("event-weights", self.event_weights, "view=0.2").items():
            try:
                found[name] = float(text)
            except ValueError:
                refuse("option_pairs", option="event-weights", example="view=0.2", got=f"{name}={text}")
        return found


def _pairs(option: str, texts: tuple[str, ...], example: str) -> dict[str, str]:
    """NAME=VALUE, several parted by commas where the next one begins so."""
    found: dict[str, str] = {}
    for text in (part for given in texts for part in re.split(r",(?=\s*[^,=]+=)", given)):
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            refuse("option_pairs", option=option, example=example, got=text)
        found[name.strip()] = value.strip()
    return found


READING = (
    click.option("--columns", multiple=True, metavar="ROLE=NAME,…", help="Which column is which: user=…,item=…"),
    click.option(
        "--scale",
        metavar="LOW-HIGH",
        help="Ends of the ratings, such as 1-5; amount: no opinions; dwell, progress: how long events lasted.",
    ),
    click.option("--unrated", multiple=True, metavar="VALUE", help="A rating that means not rated; repeatable."),
    click.option("--amount", metavar="NAME", help="The column that says how much (quantity, plays)."),
    click.option("--event-weights", multiple=True, metavar="TYPE=W,…", help="Weights of event types: view=0.2,…"),
    click.option("--time-format", metavar="FORMAT", help="s, ms, us, ns, day-first, month-first, or such as %d/%m/%Y."),
    click.option("--encoding", metavar="NAME", help="Encoding of the text, such as gb18030."),
    click.option(
        "--missing", type=click.Choice(("refuse", "drop")), default="refuse", help="Rows without a user, item or time."
    ),
    click.option("--repeats", type=click.Choice(("keep", "drop")), default="keep", help="Rows that repeat another."),
    click.option(
        "--drop", multiple=True, metavar="FINDING", help="Leave out rows: time_odd, bots, one_event_users; repeatable."
    ),
    click.option("--query", metavar="SQL", help="What to read, where --ratings is the address of a database."),
    click.option("--quiet", is_flag=True, help="Do not say on stderr how the table was read."),
)


def read_told(ratings: str, items: str | None, choice: ReadingChoice) -> Interactions:
    """The events in a table; how it was read is said in one line on stderr."""
    from xattn import read_interactions

    data = read_interactions(ratings, items, **choice.options())
    if not choice.quiet:
        note_at_the_end(data.report.summary())
    return data


def reported(data: Interactions, choice: ReadingChoice) -> dict[str, Any]:
    """What --json says of a table that this command has read: nothing where it read none."""
    if data.report is None or getattr(choice, "data", None) is not None:
        return {}
    findings = [{"id": one.id, "severity": one.severity, "count": one.count} for one in data.report.all_findings]
    return {"data_report": {"summary": data.report.summary(), "findings": findings}}
