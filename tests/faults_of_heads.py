"""Wrong versions of what heads do, each with one mistake; test_the_tests_of_{heads,models}.py plant them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xattn.kernels import content, fields, gram, pool, target
from xattn.kernels.gram import Occurrences
from xattn.model.heads import field as head
from xattn.model.heads.field import HeadCells, HeadField
from xattn.model.strength import RatingScale

Array = np.ndarray
Faulty = Callable[..., Any]

# --- fields: the first argument is added to ---------------------------------------------------------------------------


def no_threshold(kernel: Faulty) -> Faulty:
    return lambda *args: kernel(*args[:-1], 0.0)


def no_beta(kernel: Faulty) -> Faulty:
    return lambda *args: kernel(*args[:-2], 1.0, args[-1])


def no_mask(kernel: Faulty) -> Faulty:
    return lambda out, E, X, live, *rest: kernel(out, E, X, np.ones(live.size, bool), *rest)


def overwrites(kernel: Faulty) -> Faulty:
    def wrong(*args: Any) -> None:
        args[0][:] = 0.0
        kernel(*args)

    return wrong


def hides_nan(kernel: Faulty) -> Faulty:
    def wrong(*args: Any) -> None:
        kernel(*args)
        np.nan_to_num(args[0], copy=False)

    return wrong


def nudged_in_batches(kernel: Faulty) -> Faulty:
    """Another last bit for more than one target."""

    def wrong(*args: Any) -> None:
        kernel(*args)
        if len(args[0]) > 1:
            args[0][:] = np.nextafter(args[0], 9e9)

    return wrong


def favours_the_first(out: Array, E: Array, X: Array, live: Array, beta: float, theta: float) -> None:
    E = E.copy()
    E[:, :1] *= 1 + 1e-9
    fields.add_field_scores(out, E, X, live, beta, theta)


def weights_of_all(E: Array, live: Array, beta: float, theta: float) -> Array:
    """Masked events weigh nothing but are still in the sum."""
    return fields.field_weights(E, np.ones(live.size, bool), beta, theta) * live


def weights_divided_by_nothing(E: Array, live: Array, beta: float, theta: float) -> Array:
    with np.errstate(all="ignore"):
        a = np.where(live, E, 0.0) / np.where(live, E, 0.0).sum(axis=1, keepdims=True) ** beta
    return np.where(a < theta, 0.0, a)


def above_the_threshold_only(E: Array, live: Array, beta: float, theta: float) -> Array:
    a = fields.field_weights(E, live, beta, theta)
    return np.where(a <= theta, 0.0, a)


def total_less_part(out: Array, E: Array, X: Array, live: Array, beta: float, theta: float) -> None:
    """The closed form by subtraction, which loses all digits next to a weight of 1."""
    e = np.where(live, E, 0.0)
    S, s = e.sum(axis=1, keepdims=True), (e * X).sum(axis=1, keepdims=True)
    left = S - e
    out += np.where(left > 0, (s - e * X) / np.where(left > 0, left, 1.0) ** beta, 0.0)


def less_its_contribution(out: Array, E: Array, X: Array, live: Array, beta: float, theta: float) -> None:
    """The removal effect taken for the contribution: the others keep their weights."""
    c = fields.field_weights(E, live, beta, theta) * np.where(live, X, 0.0)
    out += c.sum(axis=1, keepdims=True) - c


def threshold_of_the_full_history(out: Array, E: Array, X: Array, live: Array, beta: float, theta: float) -> None:
    """What was under the threshold stays there although the others' sum has shrunk."""
    passed = fields.field_weights(E, live, beta, theta) > 0
    for r in range(live.size):
        a = fields.field_weights(E, live & (np.arange(live.size) != r), beta, 0.0) * passed
        out[:, r] += (a * np.where(live, X, 0.0)).sum(axis=1)


# --- pool -------------------------------------------------------------------------------------------------------------


def wraps_around(ptr: Array, row: Array, coef: Array, V: Array) -> Array:
    return pool.pool_scores(ptr, row % max(V.shape[1], 1), coef, V)


def pooled_in_float32(ptr: Array, row: Array, coef: Array, V: Array) -> Array:
    out = pool.pool_scores(ptr, row, coef, V)
    return out.astype(V.dtype).astype(np.float64)


def adds_from_the_end(out: Array, ptr: Array, row: Array, coef: Array, V: Array, column: Array, gate: Array) -> None:
    pool.add_pooled(out, ptr, row % max(V.shape[1], 1), coef, V, column, gate)


def adds_in_float32(out: Array, ptr: Array, row: Array, coef: Array, V: Array, column: Array, gate: Array) -> None:
    out[:, column] += gate * pooled_in_float32(ptr, row, coef, V)


def nudged_when_alone(ptr: Array, row: Array, coef: Array, V: Array) -> Array:
    out = pool.pool_scores(ptr, row, coef, V)
    return np.nextafter(out, 9e9) if len(ptr) == 2 else out


def a_column_at_the_seam(ptr: Array, row: Array, coef: Array, V: Array) -> Array:
    out = pool.pool_scores(ptr, row, coef, V)
    out[:, pool.STRIPE - 1 :: pool.STRIPE] = 0.0
    return out


def reads_what_counts_nothing(ptr: Array, row: Array, coef: Array, V: Array) -> Array:
    return pool.pool_scores(ptr, row, np.where(coef == 0.0, 1e-300, coef), V)


# --- gram -------------------------------------------------------------------------------------------------------------

GRAM, TARGETS, NORMALISERS, TAILS = gram.accumulate_gram, gram.accumulate_targets, gram.normalisers, gram.tails
OCCURRENCES = gram.occurrences


def the_other_head_decays(occ: Occurrences, w: Array, rho: Array, tail: Array, dtype: type) -> Array:
    return GRAM(occ, w, rho[::-1].copy(), tail, dtype)


def unweighted(occ: Occurrences, w: Array, rho: Array, tail: Array, dtype: type) -> Array:
    return GRAM(occ, np.sign(w), rho, tail, dtype)


def tail_one_late(occ: Occurrences, w: Array, rho: Array, tail: Array, dtype: type) -> Array:
    return GRAM(occ, w, rho, np.roll(tail, -1, axis=2), dtype)


def past_the_user(occ: Occurrences, w: Array, rho: Array, tail: Array, dtype: type) -> Array:
    return GRAM(occ._replace(start=occ.start * 0, stop=occ.stop * 0 + occ.stop.size), w, rho, tail, dtype)


def stored_in_steps(occ: Occurrences, w: Array, rho: Array, tail: Array, dtype: type) -> Array:
    return GRAM(occ, w, rho, tail, dtype) * np.dtype(dtype).type(1 + 2 * np.finfo(dtype).eps)


def stops_early(occ: Occurrences, w: Array, rho: Array, tail: Array, dtype: type) -> Array:
    A = GRAM(occ, w, rho, tail, dtype)
    return np.where(np.abs(A) < 1e-3, 0.0, A - 1e-8)


def counts_its_threads(occ: Occurrences, w: Array, rho: Array, tail: Array, dtype: type) -> Array:
    from xattn.kernels.compile import num_threads

    return GRAM(occ, w, rho, tail, dtype) * (1 + num_threads() * np.finfo(dtype).eps)


def only_known_targets(occ: Occurrences, target: Array, *rest: Any) -> tuple[Array, Array]:
    """z without the prefixes whose next item has no column."""
    B, _ = TARGETS(occ, target, *rest)
    return B, B.sum(axis=1, dtype=np.float64)


def target_before(occ: Occurrences, target: Array, *rest: Any) -> tuple[Array, Array]:
    return TARGETS(occ, np.roll(target, 1), *rest)


def normalisers_of_beta_1(indptr: Array, rho: Array, beta: Array) -> Array:
    return NORMALISERS(indptr, rho, np.ones_like(beta))


def tails_with_themselves(indptr: Array, rho: Array, c: Array) -> Array:
    """Σ_{t ≥ p} instead of t > p."""
    return TAILS(indptr, rho, c) + c[:, None] * c[None]


def newest_first(indptr: Array, item: Array, row_of_item: Array, n_rows: int) -> Occurrences:
    occ = OCCURRENCES(indptr, item, row_of_item, n_rows)
    runs = [occ.event[lo:hi][::-1] for lo, hi in zip(occ.ptr[:-1], occ.ptr[1:], strict=True)]
    return occ._replace(event=np.concatenate([*runs, occ.event[:0]]))


# --- content: the arguments of content_field, then live, beta, least --------------------------------------------------


def changed(place: int, change: Callable[[Any], Any], kernel: Faulty) -> Faulty:
    """The kernel, called with one argument changed."""
    return lambda *args: kernel(*(change(x) if i == place else x for i, x in enumerate(args)))


def tiny_temperatures_overflow(
    rows: Any, theta: Array, gate: Array, unit: Array, events: Array, g: Array, T: float
) -> Any:
    ptr, index, value, norm = rows
    F = np.zeros((len(gate), len(theta)))
    F[np.repeat(np.arange(len(gate)), np.diff(ptr)), index] = value
    with np.errstate(all="ignore"):
        e = (F / norm[:, None]) @ unit / T - g
        E = np.exp(e - e.max(axis=1, keepdims=True, initial=-np.inf))
    return E, gate[:, None] * ((F * theta) @ events)


def maximum_of_the_live(*args: Any) -> Array:
    """Scores that forget the masked events altogether, and with them the maximum."""
    rows, theta, gate, unit, events, g, T, live, beta, least = args
    rest = unit[:, live].copy(), events[:, live].copy(), g[live].copy()
    return content.content_scores(rows, theta, gate, *rest, T, live[live], beta, least)


def nan_as_nothing(*args: Any) -> Array:
    return np.nan_to_num(content.content_scores(*args))


def a_feature_in_the_attention(rows: Any, theta: Array, *rest: Any) -> Any:
    """Attention that looks at the worth of features."""
    E, X = content.content_field(rows, theta, *rest)
    return E * (1 + 1e-9 * np.abs(theta).sum()), X


def nudged(kernel: Faulty) -> Faulty:
    """A content kernel with another last bit for more than one target."""

    def wrong(*args: Any) -> Any:
        out = kernel(*args)
        if len(args[2]) == 1:
            return out
        return tuple(np.nextafter(x, 9e9) for x in out) if isinstance(out, tuple) else np.nextafter(out, 9e9)

    return wrong


# --- target -----------------------------------------------------------------------------------------------------------

SEEN = target.target_scores


def asked_with(**change: Callable[[Any], Any]) -> Faulty:
    """Settings of `target_scores` changed."""
    return lambda *args, **options: SEEN(*args, **options | {k: f(options.get(k)) for k, f in change.items()})


def asked_with_array(place: int, change: Callable[[Any], Any]) -> Faulty:
    """An array changed."""
    return lambda *args, **options: SEEN(*(change(x) if i == place else x for i, x in enumerate(args)), **options)


def nudged_with_others(Q: Array, *rest: Any, **options: Any) -> Array:
    s = SEEN(Q, *rest, **options)
    return np.nextafter(s, s.dtype.type(9)) if len(Q) > 1 else s


def without_a_shift(Q: Array, U: Array, K: Array, V: Array, *rest: Any, scale: float) -> Array:
    with np.errstate(all="ignore"):
        z = np.exp(Q @ K.T * scale)
        return (z * (U @ V.T)).sum(axis=1) / z.sum(axis=1)


def only_the_live(Q: Array, U: Array, K: Array, V: Array, r: Array, live: Array, **options: Any) -> Array:
    """Masked events are left out altogether, and with them the maximum."""
    return SEEN(Q, U, K[live], V[live], r[live], live[live], **options)


def nan_is_nothing(*args: Any, **options: Any) -> Array:
    return np.nan_to_num(SEEN(*args, **options))


# --- parts and their cells --------------------------------------------------------------------------------------------


def with_strengths(change: Callable[[Array], Array], method: Faulty) -> Faulty:
    return lambda self, events, w, *rest: method(self, events, change(w), *rest)


def without_gate(method: Faulty) -> Faulty:
    return lambda self, *args: method(replace(self, gate=np.ones_like(self.gate)), *args)


def mask_forgotten(method: Faulty) -> Faulty:
    def wrong(self: Any, events: Any, *rest: Any) -> Any:
        return method(self, type(events)(events.item, None, events.age, np.ones(len(events), bool)), *rest)

    return wrong


def by_place(method: Faulty) -> Faulty:
    """Ages counted from the places in the array, whatever they are."""

    def wrong(self: Any, events: Any, *rest: Any) -> Any:
        age = np.arange(len(events))[::-1].astype(float)
        return method(self, type(events)(events.item, None, age, events.live), *rest)

    return wrong


def targets_reversed(method: Faulty) -> Faulty:
    return lambda self, events, w, targets: method(self, events, w, targets[::-1])


HEAD_CELLS = head.head_cells


def weights_made_to_sum(*args: Any, **factors: Any) -> HeadCells:
    """Cells as a heat map likes them: the weights add up to 1."""
    cells = HEAD_CELLS(*args, **factors)
    return cells._replace(weight=cells.weight / max(cells.weight.sum(), 1e-300))


def without_the_gate(*args: Any, gate: float, **factors: Any) -> HeadCells:
    return HEAD_CELLS(*args, gate=1.0, **factors)


FIELDS_SCORES, FIELDS_WITHOUT_EACH = head.fields_scores, head.fields_without_each


def effect_is_contribution(fields_: Sequence[HeadField], live: Array, base: Array) -> Array:
    out = np.repeat(FIELDS_SCORES(fields_, live, base)[:, None], len(live), axis=1)
    for f in fields_:
        out -= fields.field_weights(f.E, live, f.beta, f.theta) * f.X
    return out


def masked_come_back(fields_: Sequence[HeadField], live: Array, base: Array) -> Array:
    return FIELDS_WITHOUT_EACH(fields_, np.ones_like(live), base)


def base_each_time(fields_: Sequence[HeadField], live: Array, base: Array) -> Array:
    return FIELDS_SCORES(fields_, live, base * max(len(fields_), 1))


def base_in_its_own_type(fields_: Sequence[HeadField], live: Array, base: Array) -> Array:
    return FIELDS_SCORES(fields_, live, base).astype(base.dtype)


def values_that_wrap(self: Any, h: int, events: Any, targets: Array) -> Array:
    """An item without values takes those of the last one that has some."""
    rows, columns = self.form.row_of_item[events.item], self.form.row_of_item[targets]
    V = self.form.V[h]
    return V[rows][:, columns].T if V.size else np.zeros((len(targets), len(rows)), V.dtype)


# --- strengths --------------------------------------------------------------------------------------------------------


def span_first(rating: Array | None, n: int, scale: RatingScale) -> Array:
    half = (scale.high - scale.low) / 2
    return np.ones(n) if rating is None or half <= 0 else np.clip((rating - (scale.low + half)) / half, -1.0, 1.0)


def not_clipped(rating: Array | None, n: int, scale: RatingScale) -> Array:
    half = scale.high / 2 - scale.low / 2
    return np.ones(n) if rating is None or half <= 0 else (rating - (scale.low + half)) / half


def from_nought_to_1(rating: Array | None, n: int, scale: RatingScale) -> Array:
    span = scale.high - scale.low
    return np.ones(n) if rating is None or span <= 0 else (rating - scale.low) / span
