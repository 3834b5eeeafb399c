"""What reading came to: the data, or the refusal with all that is known of the table, so that it can be settled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from xattn import read_interactions
from xattn.app.data.brought import MOST_EVENTS, Brought, most_unpacked
from xattn.data import Interactions
from xattn.data.reading.choice import EVENT_ROLES, Choice, Use
from xattn.data.reading.report import DataReport
from xattn.data.reading.roles import event_roles
from xattn.data.reading.tables import table_of
from xattn.errors import XattnError, refuse

__all__ = ["Outcome", "outcome_of"]


class Outcome(NamedTuple):
    """`data` is None where reading was refused; `columns` are those of the table of events, as far as it was read."""

    data: Interactions | None
    report: DataReport | None
    refusal: XattnError | None
    columns: tuple[Use, ...]


def outcome_of(brought: Brought, options: Mapping[str, Any]) -> Outcome:
    """Read what was brought; a refusal is part of the outcome."""
    try:
        if brought.how != "database" and not brought.named("events"):
            refuse("no_events_file")
        source, items = brought.source("events"), brought.source("items")
        more: dict[str, Any] = {"query": brought.query or None, "max_bytes": most_unpacked()}
        data = read_interactions(source, items, **options, **more)
        if data.n_events > MOST_EVENTS:
            refuse("events_brought", most=MOST_EVENTS, got=data.n_events)
        return Outcome(data, data.report, None, data.report.columns)
    except XattnError as refusal:
        report = getattr(refusal, "report", None)
        return Outcome(None, report, refusal, report.columns if report is not None else _columns(brought, options))


def _columns(brought: Brought, options: Mapping[str, Any]) -> tuple[Use, ...]:
    """The columns of the events, where these can be taken apart but not understood."""
    try:
        table = table_of(
            brought.source("events"),
            encoding=options.get("encoding"),
            query=brought.query or None,
            max_bytes=most_unpacked(),
        )
    except XattnError:
        return ()
    try:
        return event_roles(table, options.get("columns"), required=()).uses  # as far as it goes
    except XattnError:
        return Choice(table, EVENT_ROLES, {}).uses()
