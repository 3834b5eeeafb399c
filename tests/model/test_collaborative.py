"""Collaborative heads: the served score equals the double sum over heads and events; items without values stay out."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged
from tests.model.heads import M, collaborative, histories, strengths
from xattn.data import History
from xattn.model.fit.closed_form import ClosedForm
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.memory import memories_of


def obvious(part: CollaborativePart, history: History, w: np.ndarray) -> np.ndarray:
    """Σ_h Σ_i a_hi w_i V_h[x_i, j] γ_j, item by item."""
    out = np.zeros(M)
    for j in range(M):
        for h, memory in enumerate(part.memories):
            a = naive.field_weights(naive.exponentials(memory, history)[None], history.live, part.beta, part.theta)[0]
            for i, x in enumerate(history.item):
                row, column = part.form.row_of_item[x], part.form.row_of_item[j]
                if row >= 0 and column >= 0:
                    out[j] += a[i] * w[i] * float(part.form.V[h, row, column]) * part.gate[j]
    return out


@given(collaborative(), histories(), st.data())
def test_scores_equal_the_double_sum(part: CollaborativePart, history: History, data: st.DataObject) -> None:
    """21 terms of size under 5, each of a few roundings."""
    w = data.draw(strengths(history))
    with unchanged(w, part.form.V, part.gate):
        got = part.scores(history, w)
    assert_within(got, obvious(part, history, w), absolute=64 * 105 * 2.0**-53)
    assert not got[part.form.row_of_item < 0].any()


@given(collaborative(), histories(), st.data())
def test_fields_hold_strength_value_and_gate(part: CollaborativePart, history: History, data: st.DataObject) -> None:
    w = data.draw(strengths(history))
    targets = np.array([3, 0, 3])
    fields = part.fields(history, w, targets)
    units = ["" if not m.by_time else " day" if m.tau == 1 else " days" for m in part.memories]
    assert [field.name for field in fields] == [
        f"recency {m.tau:g}{unit}" for m, unit in zip(part.memories, units, strict=True)
    ]
    for h, field in enumerate(fields):
        assert field.E.shape == (1, len(history))  # attention does not look at the target
        assert_within(field.E[0], naive.exponentials(part.memories[h], history), 1e-15)
        for t, j in enumerate(targets):
            column = part.form.row_of_item[j]
            for i, x in enumerate(history.item):
                row = part.form.row_of_item[x]
                value = float(part.form.V[h, row, column]) if row >= 0 and column >= 0 else 0.0
                assert_within(field.X[t, i], value * w[i] * part.gate[j], 1e-15)


@given(collaborative(), st.data())
def test_nobody_gets_nothing(part: CollaborativePart, data: st.DataObject) -> None:
    nothing = History(np.empty(0, np.int64), None, np.empty(0), np.empty(0, bool))
    assert_bitwise(part.scores(nothing, np.empty(0)), np.zeros(M))
    assert [f.X.shape for f in part.fields(nothing, np.empty(0), np.arange(2))] == [(2, 0)] * len(part.memories)
    assert [c.contribution.shape for c in part.cells(nothing, np.empty(0), 1)] == [(0, 1)] * len(part.memories)


def test_by_hand() -> None:
    """Items 0 and 2 have values. Ages 1, 0 and τ = 1/log 2 weigh 1/3 and 2/3 by softmax, 1/2 and 1 with β = 0."""
    V = np.array([[[1.0, 3.0], [5.0, 7.0]]])
    form = ClosedForm(np.array([0, 2]), np.array([0, -1, 1]), V)
    history = History(np.array([0, 2]), None, np.array([1.0, 0.0]), np.ones(2, bool))
    w = np.array([3.0, -1.0])
    for beta, want in ((1.0, [1 - 10 / 3, 0.0, (3 - 14 / 3) / 2]), (0.0, [1.5 - 5, 0.0, (4.5 - 7) / 2])):
        part = CollaborativePart(form, memories_of((1 / np.log(2),)), beta, 0.0, np.array([1.0, 0.0, 0.5]))
        assert_within(part.scores(history, w), np.array(want), 1e-14)
    part = CollaborativePart(
        form, memories_of((1 / np.log(2),)), 1.0, 0.5, np.ones(3)
    )  # the older event is under the threshold
    assert_within(part.scores(history, w), np.array([-10 / 3, 0.0, -14 / 3]), 1e-14)
