"""The DataReport: what was read, what was taken for what and why, and everything that was found, all at once.

A *finding* has an id, a severity, a sentence in both languages, the number of rows it is about, the first of them, the
share of events that it costs, and the option that settles it. Severities:

    error      the data cannot be read before it is settled
    warning    the data were read, and something in them is likely wrong
    note       something was assumed, or is worth knowing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from xattn.data.reading.choice import Use
from xattn.data.scale import Scale
from xattn.i18n import is_text, t
from xattn.i18n.joined import aside, clauses, listed, parts, said, sentences

__all__ = ["MOST_ROWS", "Action", "DataReport", "Finding", "Taken", "Told"]

SEVERITIES = ("error", "warning", "note")
MOST_ROWS = 5  # that a finding names


class Told(str):
    """The key of a text that stands inside another one; it is put into words in the language of the sentence."""


@dataclass(frozen=True)
class Taken:
    """A column and the role that it was taken for."""

    role: str
    column: str

    def text(self, lang: str = "en") -> str:
        return f"{t(f'data.role.{self.role}', lang)} ← {self.column}"


@dataclass(frozen=True)
class Action:
    """The option that settles a finding: its name and value, as Python and the command line take it."""

    option: str
    value: str = ""

    @property
    def command(self) -> str:
        return f"--{self.option.replace('_', '-')} {self.value or '…'}"


@dataclass(frozen=True)
class Finding:
    """One thing that was found in a table; `fields` fill its sentence."""

    id: str
    severity: str
    count: int = 0
    rows: tuple[int, ...] = ()
    share: float = 0.0
    action: Action | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    unit: str = "line"

    def sentence(self, lang: str = "en") -> str:
        """The finding in one sentence, without its rows."""
        fields = {name: _in_words(value, lang) for name, value in self.fields.items()}
        return t(f"data.finding.{self.id}", lang, n=f"{self.count:,}", **fields)

    def advice(self, lang: str = "en") -> str:
        """What to do about it, in a sentence: the option that settles it, or that nothing need be done, or what else.

        Where an option settles it, and more is worth saying, the option comes first.
        """
        told = [t("data.settle", lang, option=self.action.command)] if self.action else []
        if is_text(f"data.do.{self.id}"):
            told.append(t(f"data.do.{self.id}", lang))
        return sentences(told, lang)

    def where(self, lang: str = "en") -> str:
        """The first rows, "" where it is about none: "lines 3, 7, …"."""
        if not self.rows:
            return ""
        numbers = listed(map(str, self.rows), lang) + ("…" if self.count > len(self.rows) else "")
        return t(f"data.where.{self.unit}{'s' * (len(self.rows) > 1)}", lang, rows=numbers)

    def text(self, lang: str = "en") -> str:
        """Severity, sentence, rows, cost and action on one line."""
        told = [self.sentence(lang)]
        if self.rows:
            told.append(aside("", self.where(lang), lang))
        if self.share > 0:
            told.append(t("data.cost", lang, share=f"{self.share:.1%}"))
        told.append(self.advice(lang))
        return said(t(f"data.severity.{self.severity}", lang), sentences(told, lang), lang)

    def to_dict(self) -> dict[str, Any]:
        action = None if self.action is None else {"option": self.action.option, "value": self.action.value}
        return {
            "id": self.id,
            "severity": self.severity,
            "count": self.count,
            "rows": list(self.rows),
            "unit": self.unit,
            "share": self.share,
            "action": action,
            "sentence": {lang: self.sentence(lang) for lang in ("en", "zh")},
            "advice": {lang: self.advice(lang) for lang in ("en", "zh")},
        }


@dataclass(frozen=True)
class DataReport:
    """What reading a table assumed and found. `items` is the report of the table of items, if there was one."""

    name: str
    format: Mapping[str, Any]
    rows: int
    events: int = 0
    users: int = 0
    n_items: int = 0
    columns: tuple[Use, ...] = ()
    scale: Scale | None = None
    kinds: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    items: DataReport | None = None

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The findings of both tables, gravest first."""
        both = (*self.findings, *(self.items.findings if self.items else ()))
        return tuple(sorted(both, key=lambda finding: SEVERITIES.index(finding.severity)))

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.all_findings if finding.severity == "error")

    @property
    def unused(self) -> tuple[str, ...]:
        """The columns that serve nothing."""
        return tuple(use.column for use in self.columns if not use.role and use.column)

    def found(self, finding: str) -> Finding | None:
        """The finding with this id, or None."""
        return next((one for one in self.all_findings if one.id == finding), None)

    def with_findings(self, *more: Finding, **changes: Any) -> DataReport:
        return replace(self, findings=(*self.findings, *more), **changes)

    def summary(self, lang: str = "en") -> str:
        """One line: sizes, what was taken for what, the scale, how many findings."""
        taken = listed((Taken(use.role, use.column).text(lang) for use in self.columns if use.role), lang)
        told = [t("data.sizes", lang, users=f"{self.users:,}", items=f"{self.n_items:,}", events=f"{self.events:,}")]
        if not self.events:  # a table of items, or one that could not be read
            sizes = {"items": f"{self.n_items:,}"} if self.n_items else {"rows": f"{self.rows:,}"}
            told = [t(f"data.sizes_{next(iter(sizes))}", lang, **sizes)]
        told += [taken] if taken else []
        if self.scale is not None:
            told.append(_scale_text(self.scale, lang))
        counts = [sum(one.severity == grade for one in self.all_findings) for grade in SEVERITIES]
        for grade, count in zip(SEVERITIES, counts, strict=True):
            if count:
                told.append(t(f"data.count.{grade}{'s' * (count != 1)}", lang, n=count))
        return said(self.name, parts(told, lang), lang)

    def text(self, lang: str = "en") -> str:
        """The whole report, one thought a line."""
        lines = [self.summary(lang), "  " + t("data.read_as", lang, how=_format_text(self.format, lang))]
        for use in self.columns:
            if use.role:
                lines.append("  " + _use_text(use, lang))
        if self.unused:
            shown = listed(self.unused[:12], lang) + ("…" if len(self.unused) > 12 else "")
            lines.append("  " + t("data.unused", lang, columns=shown))
        if self.kinds:
            kinds = listed((f"{name} {count:,}" for name, count in list(self.kinds.items())[:12]), lang)
            lines.append("  " + t("data.kinds", lang, kinds=kinds))
        if self.items is not None:
            lines += [self.items.summary(lang)]
            lines += ["  " + _use_text(use, lang) for use in self.items.columns if use.role]
        lines += [finding.text(lang) for finding in self.all_findings]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, for JSON."""
        return {
            "name": self.name,
            "format": dict(self.format),
            "rows": self.rows,
            "events": self.events,
            "users": self.users,
            "items": self.n_items,
            "columns": [{**use._asdict(), "samples": list(use.samples)} for use in self.columns],
            "unused": list(self.unused),
            "scale": None if self.scale is None else self.scale.to_dict(),
            "kinds": dict(self.kinds),
            "findings": [finding.to_dict() for finding in self.all_findings],
            "item_table": None if self.items is None else self.items.to_dict(),
        }


def _scale_text(scale: Scale, lang: str) -> str:
    key = f"data.scale.{scale.kind}" + (f"_{scale.origin}" if scale.kind == "opinion" else "")
    return t(key, lang, low=f"{scale.low:g}", high=f"{scale.high:g}")


def _format_text(how: Mapping[str, Any], lang: str) -> str:
    told = [*how["packing"], how["kind"], how["encoding"]]
    if not how["header"]:
        told.append(t("data.no_header", lang))
    if how["shape"]:
        told.append(t(f"data.shape.{how['shape']}", lang))
    return clauses((part for part in told if part), lang)


def _use_text(use: Use, lang: str) -> str:
    why = [t(f"data.why.{use.why.replace('+', '_') or 'given'}", lang)]
    why += [t(f"data.how.{use.how}", lang)] if use.how else []
    told = [clauses(why, lang), *([] if use.sure else [t("data.unsure", lang)])]
    return aside(Taken(use.role, use.column).text(lang), parts(told, lang), lang)


def _in_words(value: Any, lang: str) -> Any:
    """A field of a finding as its sentence takes it."""
    if isinstance(value, Told):
        return t(value, lang)
    if isinstance(value, tuple):
        return listed((str(_in_words(one, lang)) for one in value), lang)
    return value.text(lang) if isinstance(value, Taken) else value
