"""`xattn explain`: one item's score, an item beside another, an item out of the list, or the whole list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from xattn.cli.data_options import reported
from xattn.cli.inputs import ask
from xattn.cli.options import (
    DataChoice,
    ListChoice,
    ModelChoice,
    SomePerson,
    as_json,
    check_left_out,
    data_options,
    grouped,
    list_options,
    model_options,
    person_options,
)
from xattn.cli.outputs import outputs
from xattn.cli.screen import print_json
from xattn.cli.tables import print_difference, print_ledger, print_list_ledger, print_parts, print_why_not
from xattn.cli.telling import FILES, TellingChoice, telling_options
from xattn.errors import refuse

__all__ = ["explain"]

PRINTED: dict[str, Callable[[Any, TellingChoice], None]] = {
    "--against": print_difference,
    "--list": print_list_ledger,
    "--why-not": print_why_not,
}


@dataclass(frozen=True)
class QuestionChoice:
    """One of four questions: `other` is the option that makes it another than that of one item's score."""

    item: str | None
    whole: bool
    against: str | None
    why_not: bool

    def __post_init__(self) -> None:
        """Raise InputError where two questions are named, or none."""
        if (self.item is None) != self.whole:
            refuse("one_of", names=("--item", "--list"), found="none_of_them" if self.item is None else "both")
        if self.whole:
            check_left_out("--list", **{"against": self.against, "why-not": "yes" if self.why_not else None})
        if self.why_not:
            check_left_out("--why-not", against=self.against)
        if self.against is not None and self.against == self.item:
            refuse("against_itself", got=self.against)

    @property
    def other(self) -> str | None:
        if self.against is not None:
            return "--against"
        return "--list" if self.whole else "--why-not" if self.why_not else None

    def check(self, telling: TellingChoice, as_json: bool) -> None:
        """Raise InputError where a wording or a file is named that this question does not have."""
        program = "yes" if telling.program else None
        if self.other is not None:
            named = {name: getattr(telling, name) for name in (*FILES, "depth")}
            check_left_out(self.other, **named, parts=telling.parts, python=program)
            if not self.why_not:
                check_left_out(self.other, scenario=telling.scenario)
        if as_json:
            check_left_out("--json", parts=telling.parts, python=program)
        if telling.chart is None:
            check_left_out("--chart", "without_option", kind=telling.kind)

    def request(self, scenario: str) -> Callable[..., Any]:
        """What makes the request from a person and a list."""
        from xattn.requests import CompareRequest, ExplainRequest, ListRequest, WhyNotRequest

        if self.item is None:
            return ListRequest
        if self.why_not:
            return partial(WhyNotRequest, item=self.item, scenario=scenario)
        one = partial(ExplainRequest, item=self.item, scenario=scenario)
        if self.against is None:
            return one
        other = partial(ExplainRequest, item=self.against)
        return lambda **about: CompareRequest(one(**about), other(**about))


question_options = grouped(
    "question",
    QuestionChoice,
    click.option("--item", metavar="ID", help="The item whose score is explained."),
    click.option("--list", "whole", is_flag=True, help="Explain the whole list instead of one item."),
    click.option("--against", metavar="ID", help="Say what sets --item apart from this item."),
    click.option("--why-not", is_flag=True, help="Say what keeps --item out of the list, and what would let it in."),
)


@click.command()
@data_options
@person_options
@question_options
@model_options
@list_options
@telling_options
@as_json
def explain(
    source: DataChoice,
    person: SomePerson,
    question: QuestionChoice,
    choice: ModelChoice,
    listing: ListChoice,
    telling: TellingChoice,
    as_json: bool,
) -> None:
    """Explain a score by the ledger that adds up to it.

    A text comes first, then a table: what each event contributes, and what removing it would do.

    \b
    xattn explain --data movielens-small --user 42 --item 736
    xattn explain --model movies.npz --user 42 --item 736 --html why.html --save explanation.json
    """
    question.check(telling, as_json)
    read = (source.ratings, source.items, choice.model, person.history, listing.candidates)
    paths = outputs({name: getattr(telling, name) for name in FILES}, read)
    make = question.request(telling.words[1])
    model, request = ask(make, source, choice, person, listing)
    found = request.ask(model)
    if question.other is not None:
        if as_json:
            print_json({**request.answer_of(found).body(), **reported(model.data_, source)})
        else:
            PRINTED[question.other](found, telling)
        return
    from xattn.explain import Origin

    origin = Origin(model=choice.model) if choice.saved else Origin(None, source.ratings, source.items, source.stated)
    if telling.parts is not None:
        found.parts(telling.parts)  # refused before a file is written
    telling.write(found, origin, paths)
    if telling.program:
        click.echo(found.snippet(origin), nl=False)
    elif as_json:
        print_json({**request.answer_of(found, origin).body(), **reported(model.data_, source)})
    else:
        print_ledger(found, telling)
        if telling.parts is not None:
            print_parts(found, telling.parts, telling)
