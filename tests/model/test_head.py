"""Scores, cells and removals of heads of either kind: three ways through the code to the same numbers.

Cells and base add up to the score; a removal that is announced is the score of the masked history; masking is leaving
out (the ages stay). The bound is 1e-12 times all that was added up: 64 terms with a few roundings each are under it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.checks import assert_bitwise, assert_within, unchanged
from tests.model.heads import M, Part, collaborative, content, histories, left_out, parts, strengths
from xattn.data import History
from xattn.model.heads import field as head
from xattn.model.heads.content import ContentPart
from xattn.model.heads.field import HeadCells, HeadField, head_cells

ALL = np.arange(M)
BASE = np.linspace(0.05, 0.3, M)
EVERY = pytest.mark.parametrize("part", [parts("collaborative"), parts("content")], ids=["collaborative", "content"])


class Case(NamedTuple):
    """One part or several, the history, and the strengths of its events."""

    parts: Sequence[Part]
    history: History
    w: np.ndarray

    def fields(self, targets: np.ndarray = ALL) -> list[HeadField]:
        return [field for part in self.parts for field in part.fields(self.history, self.w, targets)]

    def served(self, history: History | None = None) -> np.ndarray:
        """Scores (M,) by the way that serves the catalogue."""
        return BASE + sum(part.scores(history or self.history, self.w) for part in self.parts)

    def cells(self, target: int) -> list[HeadCells]:
        return [cells for part in self.parts for cells in part.cells(self.history, self.w, target)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A hybrid or one of its parts."""
    some = draw(st.lists(parts("collaborative", "content"), min_size=1, max_size=2))
    history = draw(histories())
    return Case(some, history, draw(strengths(history)))


def scores(fields: Sequence[HeadField], live: np.ndarray, base: np.ndarray = BASE) -> np.ndarray:
    return head.fields_scores(fields, live, base)


def room(fields: Sequence[HeadField], live: np.ndarray) -> np.ndarray:
    """1e-12 of the size of everything that is added up (J,)."""
    sizes = [field._replace(X=np.abs(field.X), theta=0.0) for field in fields]
    return 1e-12 * scores(sizes, live)


def clear_of_thresholds(fields: Sequence[HeadField], live: np.ndarray) -> bool:
    """No weight so near its threshold that one rounding decides."""
    return all(
        (np.abs(head.field_weights(f.E, live, f.beta, 0.0) - f.theta) > 1e-9).all() or f.theta == 0 for f in fields
    )


@given(cases())
def test_served_scores_are_those_of_the_fields(case: Case) -> None:
    fields, live = case.fields(), case.history.live
    assume(clear_of_thresholds(fields, live))
    with unchanged(case.w, case.history.item, case.history.age):
        served = case.served()
    assert_within(served, scores(fields, live), absolute=room(fields, live))


@given(cases())
def test_cells_and_base_add_up_to_the_score(case: Case) -> None:
    """P11: the ledger of every target."""
    fields, live = case.fields(), case.history.live
    assume(clear_of_thresholds(fields, live))
    served, most = case.served(), room(fields, live)
    for j in range(M):
        cells = case.cells(j)
        total = BASE[j] + sum(c.contribution.sum() for c in cells)
        assert_within(total, served[j], absolute=2 * most[j])
        for c in cells:
            assert c.contribution.shape == (len(case.history), len(c.features)) == c.value.shape
            assert c.contribution.dtype == np.float64
            assert not c.contribution[~live].any()
            one_by_one = [
                [a * w * v * c.gate for v in row] for a, w, row in zip(c.weight, c.strength, c.value, strict=True)
            ]
            assert_within(c.contribution, np.array(one_by_one).reshape(c.value.shape), 1e-15, 1e-300)


@given(cases())
def test_each_event_of_a_head_adds_what_its_field_says(case: Case) -> None:
    """Cells per event, summed over features, are weight × X of the field: the same head from two sides."""
    live = case.history.live
    for j in range(M):
        for field, cells in zip(case.fields(np.array([j])), case.cells(j), strict=True):
            assert (field.name, field.X.shape) == (cells.name, (1, len(case.history)))
            a = head.field_weights(field.E, live, field.beta, field.theta)[0]
            assert_bitwise(cells.weight, a)
            size = np.abs(cells.value).sum(axis=1) * np.abs(cells.strength) * abs(cells.gate)
            assert_within(cells.contribution.sum(axis=1), a * field.X[0], absolute=1e-14 * size)


@given(cases())
def test_removal_announced_is_the_score_served_without_the_event(case: Case) -> None:
    fields, live = case.fields(), case.history.live
    announced = head.fields_without_each(fields, live, BASE)
    assert announced.shape == (M, len(case.history))
    for r in range(len(case.history)):
        rest = case.history.without(r)
        assume(clear_of_thresholds(fields, rest.live))
        assert_within(announced[:, r], case.served(rest), absolute=2 * room(fields, rest.live))


@given(cases(), st.data())
def test_removal_of_a_set_is_the_score_served_without_it(case: Case, data: st.DataObject) -> None:
    fields, n = case.fields(), len(case.history)
    assume(n > 0)
    lost = sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1)))
    rest = case.history.without(lost)
    assume(clear_of_thresholds(fields, rest.live))
    served = case.served(rest)
    assert_within(scores(fields, rest.live), served, absolute=2 * room(fields, rest.live))
    for last in lost:
        others = case.history.without([r for r in lost if r != last])
        announced = head.fields_without_each(fields, others.live, BASE)[:, last]
        assert_within(announced, served, absolute=2 * room(fields, rest.live))


@given(cases())
def test_masking_is_leaving_out(case: Case) -> None:
    """Content with β < 1 keeps the maximum of all its events, so there masking is not quite deletion (design, §2.8)."""
    plain = [replace(p, beta=1.0) if isinstance(p, ContentPart) else p for p in case.parts]
    case = case._replace(parts=plain)
    fields, live = case.fields(), case.history.live
    assume(clear_of_thresholds(fields, live))
    rest, w = left_out(case.history, case.w)
    alone = Case(plain, rest, w)
    assert_within(alone.served(), case.served(), absolute=4 * room(fields, live))


@given(cases())
def test_batch_is_a_loop(case: Case) -> None:
    """P21: fields of many targets are those of each."""
    live = case.history.live
    together = scores(case.fields(), live)
    each = head.fields_without_each(case.fields(), live, BASE)
    for j in range(M):
        one = case.fields(np.array([j]))
        assert_bitwise(scores(one, live, BASE[j : j + 1]), together[j : j + 1])
        assert_bitwise(head.fields_without_each(one, live, BASE[j : j + 1]), each[j : j + 1])
    picked = np.array([4, 0, 4])
    assert_bitwise(scores(case.fields(picked), live, BASE[picked]), together[picked])


@given(cases(), st.randoms(use_true_random=False))
def test_order_of_the_events_is_in_their_ages_alone(case: Case, random: st.DataObject) -> None:
    """P3: rows of the history in another order, each with its age and its moment, score alike."""
    order = list(range(len(case.history)))
    random.shuffle(order)
    h = case.history
    elapsed = None if h.elapsed is None else h.elapsed[order]
    again = History(h.item[order], None, h.age[order], h.live[order], elapsed=elapsed)
    moved = Case(case.parts, again, case.w[order])
    assume(clear_of_thresholds(case.fields(), h.live))
    assert_within(moved.served(), case.served(), absolute=4 * room(case.fields(), h.live))


@given(collaborative(np.float32), histories(), st.data())
def test_float32_values_score_like_float64(part: Part, history: History, data: st.DataObject) -> None:
    """Only V is narrow: the same numbers in float64 give the same bits, in scores, fields and cells."""
    w = data.draw(strengths(history))
    wide = replace(part, form=part.form._replace(V=part.form.V.astype(np.float64)))
    assert_bitwise(part.scores(history, w), wide.scores(history, w))
    for got, want in zip(part.fields(history, w, ALL), wide.fields(history, w, ALL), strict=True):
        assert_bitwise(got.X, want.X)
    for got, want in zip(part.cells(history, w, 2), wide.cells(history, w, 2), strict=True):
        assert_bitwise(got.contribution, want.contribution)


@given(st.one_of(collaborative(), content()), histories(), st.data())
def test_strengths_are_linear(part: Part, history: History, data: st.DataObject) -> None:
    """Attention does not look at strengths, so twice as strong is twice the part of the score, to the bit."""
    w = data.draw(strengths(history))
    assert_bitwise(part.scores(history, 2 * w), 2 * part.scores(history, w))


# --- answers known by hand --------------------------------------------------------------------------------------------


def test_base_alone_where_no_head_looks() -> None:
    live = np.ones(2, bool)
    assert_bitwise(scores([], live), BASE)
    assert_bitwise(head.fields_without_each([], live, BASE), np.repeat(BASE[:, None], 2, axis=1))
    assert scores([], live, np.array([1, 2])).dtype == np.float64


def test_cells_by_hand() -> None:
    """Weights 1/4 and 3/4 of events with strengths 2 and −1, values 8 and 4, gate 1/2."""
    cells = head_cells(
        "h", np.array([[1.0, 3.0]]), np.ones(2, bool), 1.0, 0.0, strength=np.array([2.0, -1.0]),
        value=np.array([[8.0], [4.0]], np.float32), gate=np.float32(0.5),
    )  # fmt: skip
    assert cells.weight.tolist() == [0.25, 0.75]
    assert cells.contribution.tolist() == [[2.0], [-1.5]]
    assert (cells.features, cells.gate, type(cells.gate), cells.value.dtype) == (("",), 0.5, float, np.float64)
