"""Conditions on parameters as data: each kind refuses what breaks it, a class has those of its bases, every model's
table is whole."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from xattn.data.synthetic import planted
from xattn.errors import InputError
from xattn.errors.constraints import (
    POSITIVE,
    PROBABILITY,
    SEED,
    STRENGTH,
    Auto,
    ByName,
    Choice,
    Constraint,
    Each,
    Flag,
    Optional,
    Range,
    TableSource,
    Whole,
    check_params,
    constraints,
    constraints_of,
)
from xattn.evaluate.rivals import RIVALS
from xattn.recommenders.registry import model_class, model_names

DATA = planted("copurchase", n_users=20, seed=0).data
MODELS = [*(model_class(name) for name in model_names()), *RIVALS.values()]


@pytest.mark.parametrize(
    ("constraint", "kept", "broken"),
    [
        (Range(), [0, -1e9, 1e9], [math.nan, math.inf, "1", None, True]),
        (Range(0.0, 1.0), [0, 1], [-0.1, 1.1]),
        (Range(0.0, 1.0, open_low=True, open_high=True), [0.5], [0, 1]),
        (POSITIVE, [5e-324], [0.0, -1]),
        (PROBABILITY, [0, 0.5, 1], [-1e-9, 1.1]),
        (STRENGTH, [-1, 1], [-1.1, 1.1]),
        (Whole(), [0, 10**9], [-1, 1.0, "1", True, None]),
        (Whole(1, 3), [1, 3], [0, 4]),
        (SEED, [None, 0], [-1, 0.5, "0"]),
        (Choice(("a", "b")), ["a", "b"], ["c", None, 1]),
        (Flag(), [True, False], [0, 1, "true", None]),
        (Optional(POSITIVE), [None, 1], [0]),
        (
            TableSource("pairs_of_users"),
            ["a.csv", Path("a"), [("u", "v")], pd.DataFrame({"a": []})],
            [1, None, object()],
        ),
        (Each(POSITIVE, "number_of_events"), [(1,), [1, 2.5]], [(), [], 1, "1", None, (1, 0)]),
        (Auto(Optional(Each(POSITIVE, "number_of_days"))), ["auto", None, (1,)], ["", "week", (), [0], 1]),
        (ByName(STRENGTH, "event_types"), [{}, {"a": -1}], [{"a": 2}, {1: 1}, ["a"], None, {"a": "1"}]),
    ],
)
def test_constraints(constraint: Constraint, kept: list[Any], broken: list[Any]) -> None:
    for value in kept:
        constraint.check("x", value)
    for value in broken:
        with pytest.raises(InputError, match="`x"):
            constraint.check("x", value)


@pytest.mark.parametrize(
    ("constraint", "value", "sentence"),
    [
        (Range(0.0, 1.0, open_high=True), 1, "`x` must be a finite number >= 0 and < 1; got 1."),
        (Whole(1), 0, "`x` must be a whole number >= 1; got 0."),
        (
            Each(POSITIVE, "number_of_events"),
            (),
            "`x` must be a list in brackets of at least one number of events; got ().",
        ),
        (Auto(STRENGTH), "1,7", "`x` must be \"auto\", a number without quotes, or a list in brackets; got '1,7'."),
        (Auto(STRENGTH), 2, "`x` must be a finite number >= -1 and <= 1; got 2."),
        (ByName(STRENGTH, "event_types"), 1, "`x` must map event types to numbers; got 1."),
        (ByName(STRENGTH, "event_types"), {"a": 2}, "`x['a']` must be a finite number >= -1 and <= 1; got 2."),
    ],
)
def test_sentences(constraint: Constraint, value: Any, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        constraint.check("x", value)
    assert str(caught.value) == sentence


class Base:
    _constraints = constraints(a=Whole(1), b=PROBABILITY)

    def __init__(self, a: Any = 1, b: Any = 0, c: Any = "free") -> None:
        self.a, self.b, self.c = a, b, c


class Derived(Base):
    _constraints = constraints(b=STRENGTH)


def test_a_class_has_the_constraints_of_its_bases() -> None:
    assert constraints_of(Derived) == {"a": Whole(1), "b": STRENGTH}
    check_params(Derived(b=-1))
    for broken, name in ((Base(b=-1), "b"), (Derived(a=0), "a"), (Derived(b=-2), "b")):
        with pytest.raises(InputError, match=f"`{name}` must be"):
            check_params(broken)


def test_a_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        Base._constraints["a"] = Whole(0)  # type: ignore[index]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_parameter_of_a_model_has_its_constraint(model: type) -> None:
    """A name in the table that is no parameter, or a parameter without a condition, would go unchecked."""
    assert set(constraints_of(model)) == set(inspect.signature(model).parameters)
    check_params(model())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_parameter_of_a_model_is_checked_by_fit(model: Any) -> None:
    for name in inspect.signature(model).parameters:
        unfitted = model().set_params(**{name: object()})
        unfitted.package = None  # of a rival: whether it is installed is another question
        with pytest.raises(InputError, match=f"`{name}` must "):
            unfitted.fit(DATA)
