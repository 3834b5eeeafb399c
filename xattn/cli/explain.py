"""`xattn explain`: one item's score, an item beside another, an item out of the list, or the whole list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from xattn.cli.inputs import ask
from xattn.cli.models import is_model_file
from xattn.cli.options import (
    DataChoice,
    ListChoice,
    ModelChoice,
    PersonChoice,
    as_json,
    check_left_out,
    data_options,
    grouped,
    language,
    list_options,
    model_options,
    person_options,
)
from xattn.cli.outputs import outputs
from xattn.cli.screen import print_json
from xattn.cli.tables import print_ledger, print_list_ledger, print_text
from xattn.cli.telling import FILES, TellingChoice, telling_options
from xattn.errors import check_whole, refuse

__all__ = ["explain"]


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
            check_left_out(self.other, **named, python=program)
            if not self.why_not:
                check_left_out(self.other, scenario=telling.scenario)
        if as_json:
            check_left_out("--json", python=program)
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
@click.option(
    "--events", "most", type=int, default=20, show_default=True, metavar="N", help="How many events the table shows."
)
@telling_options
@language
@as_json
def explain(
    source: DataChoice,
    person: PersonChoice,
    question: QuestionChoice,
    choice: ModelChoice,
    listing: ListChoice,
    most: int,
    telling: TellingChoice,
    lang: str,
    as_json: bool,
) -> None:
    """Explain a score by the ledger that adds up to it.

    A text comes first, then a table: what each event contributes, and what removing it would do.

    \b
    xattn explain --data movielens-small --user 42 --item 736
    xattn explain --model movies.npz --user 42 --item 736 --html why.html --save explanation.json
    """
    check_whole("events", most, low=1)
    question.check(telling, as_json)
    read = (source.ratings, source.items, choice.model, person.history, listing.candidates)
    paths = outputs({name: getattr(telling, name) for name in FILES}, read)
    depth, scenario = telling.words
    make = question.request(scenario)
    model, request = ask(make, source, choice, person, listing)
    if question.other is None:
        from xattn.explain import Origin
        from xattn.requests import ExplainAnswer

        ledger = request.ask(model)
        saved = choice.model is not None and is_model_file(choice.model)
        origin = Origin(model=choice.model) if saved else Origin(ratings=source.ratings, items=source.items)
        telling.write(ledger, origin, lang, paths)
        if telling.program:
            click.echo(ledger.snippet(origin), nl=False)
        elif as_json:
            print_json(ExplainAnswer.of(ledger, origin, scenario).body())
        else:
            print_ledger(ledger, most, lang, depth, scenario)
    elif as_json:
        print_json(request.answer(model).body())
    elif question.whole:
        print_list_ledger(request.ask(model), most, lang)
    else:
        found = request.ask(model)
        print_text(found.text(lang, scenario) if question.why_not else found.text(lang))
