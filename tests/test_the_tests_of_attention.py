"""The tests of attention with many queries are tested: a fault takes the kernel's place, and they have to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.checks import unit
from tests.kernels import test_attention
from tests.planting import Fault, must_fail
from tests.tensor import test_attention as test_public
from tests.tensor import test_softmax
from xattn.kernels import attention as kernels
from xattn.kernels.attention import Attention, AttentionGradient
from xattn.kernels.logits import ALL_LIVE, NO_BIAS
from xattn.tensor import attention as public
from xattn.tensor import softmax

A, M, N = test_attention, test_public, test_softmax
FORWARD, BACKWARD = kernels.attention, kernels.attention_backward
HEADS, BLOCKS = public._heads, public._blocks_of
WEIGHED, SOFTMAX = public.attention_with_weights, softmax.softmax
Faulty = Callable[..., Any]


def called_with(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Faulty:
    def faulty(Q: Any, K: Any, V: Any, where: Any, live: Any = ALL_LIVE, bias: Any = NO_BIAS, **o: Any) -> Any:
        call = {"Q": Q, "K": K, "V": V, "where": where, "live": live, "bias": bias} | o
        call |= change(call)
        arrays = [call.pop(name) for name in ("Q", "K", "V", "where", "live", "bias")]
        return FORWARD(*arrays, **call)

    return faulty


def returning(change: Callable[[Attention], Attention]) -> Faulty:
    return lambda *args, **options: change(FORWARD(*args, **options))


def late_bias(*args: Any, **options: Any) -> Attention:
    """−10³⁰ in the place of −inf: a row without keys becomes an average."""
    *args, bias = args
    return FORWARD(*args, np.where(np.isneginf(bias), -1e30, bias), **options)


def favours_the_first(done: Attention) -> Attention:
    a = done.a.copy()
    if a.shape[2] > 1:
        a[..., 0] *= 1 + 1e-9
    return done._replace(a=a)


def nudged_by_head(done: Attention) -> Attention:
    return done._replace(y=done.y * (1 + 1e-12 * np.arange(len(done.y))).astype(done.y.dtype)[:, None, None])


def in_float32(Q: Any, K: Any, V: Any, *args: Any, **options: Any) -> Attention:
    done = FORWARD(*(x.astype(np.float32) for x in (Q, K, V)), *args, **options)
    return Attention(done.y.astype(Q.dtype), done.a.astype(Q.dtype), done.lse)


def summed_in_float32(Q: Any, K: Any, V: Any, where: Any, *args: Any, **options: Any) -> Attention:
    """Products of float32 added up in float32, one after the other."""
    done = FORWARD(Q, K, V, where, *args, **options)
    y = np.zeros_like(done.y)
    for j in range(K.shape[1]):
        y += done.a[:, :, j, None] * V[where[1], None, j]
    return done._replace(y=y)


def four_ulp_off(done: Attention) -> Attention:
    """In float32 alone."""
    return done._replace(y=done.y * (1 + 8 * unit(np.float32))) if done.y.dtype == np.float32 else done


def reads_masked(Q: Any, K: Any, V: Any, where: Any, live: Any = ALL_LIVE, bias: Any = NO_BIAS, **o: Any) -> Any:
    """Weights of 0 times what stands there."""
    done = FORWARD(Q, K, V, where, live, bias, **o)
    return done._replace(y=done.y + 0 * V[where[1]].sum(axis=1, keepdims=True))


def lse_off(done: Attention) -> Attention:
    return done._replace(lse=done.lse * (1 + 1e-6))


def hides_nan(done: Attention) -> Attention:
    return Attention(*(np.nan_to_num(x, nan=0.0, neginf=-np.inf) for x in done))


def past_by_one(call: dict[str, Any]) -> dict[str, Any]:
    where = call["where"].copy()
    where[3] += 1
    return {"where": where}


def values_squared(call: dict[str, Any]) -> dict[str, Any]:
    return {"V": call["V"] ** 2}


def of_gradient(*factors: float) -> Faulty:
    def faulty(*args: Any, **options: Any) -> AttentionGradient:
        return AttentionGradient(*(g * f for g, f in zip(BACKWARD(*args, **options), factors, strict=True)))

    return faulty


def everywhere(*args: Any, **options: Any) -> AttentionGradient:
    return AttentionGradient(*(g + 1 for g in BACKWARD(*args, **options)))


BIAS = called_with(lambda call: {"bias": np.where(call["bias"] > 0, 2 * call["bias"], call["bias"])})
CAPLESS = called_with(lambda call: {"cap": 0.0})
F8, F4 = (np.float64,), (np.float32,)
OF_KERNELS = [
    Fault("cap ignored", A, "attention", CAPLESS, A.test_equals_the_obvious_version),
    Fault("scale ignored", A, "attention", called_with(lambda c: {"scale": 1.0}), A.test_equals_the_obvious_version),
    Fault("scale ignored", A, "attention", called_with(lambda c: {"scale": 1.0}), A.test_scale_flattens_and_sharpens),
    Fault("scale ignored", A, "attention", called_with(lambda c: {"scale": 1.0}), A.test_one_query_is_attend),
    Fault("−1e30 masks", A, "attention", late_bias, A.test_equals_the_obvious_version),
    Fault("−1e30 masks", A, "attention", late_bias, A.test_weights_are_shares),
    Fault("past off by one", A, "attention", called_with(past_by_one), A.test_range_of_keys),
    Fault("rounded early", A, "attention", in_float32, A.test_one_query_is_attend),
    Fault("four ulp off", A, "attention", returning(four_ulp_off), A.test_float32_is_the_float64_answer_within_two_ulp),
    Fault("float32 sums", A, "attention", summed_in_float32, A.test_float32_values_that_cancel_keep_their_digits),
    Fault("lse off", A, "attention", returning(lse_off), A.test_two_blocks_are_joined_by_their_lse),
    Fault(
        "bias doubled",
        A,
        "attention",
        BIAS,
        A.test_a_key_twice_is_once_with_log_2_more,
    ),
    Fault("favours the first", A, "attention", returning(favours_the_first), A.test_order_of_keys_does_not_matter),
    Fault("favours the first", A, "attention", returning(favours_the_first), A.test_higher_scores_weigh_more),
    Fault("reads the masked", A, "attention", reads_masked, A.test_masking_is_leaving_out, F8),
    Fault("reads the masked", A, "attention", reads_masked, A.test_masking_is_leaving_out, F4),
    Fault("values squared", A, "attention", called_with(values_squared), A.test_outputs_lie_among_the_values),
    Fault("values squared", A, "attention", called_with(values_squared), A.test_linear_in_the_values),
    Fault(
        "hides NaN",
        A,
        "attention",
        returning(hides_nan),
        A.test_a_live_score_that_is_not_finite_makes_its_row_nan,
        (np.nan, 0.0, np.float64),
    ),
    Fault("nudged by head", A, "attention", returning(nudged_by_head), A.test_heads_read_the_blocks_that_are_named, F8),
    Fault(
        "bias moved",
        A,
        "attention",
        BIAS,
        A.test_what_is_added_to_all_scores_changes_nothing,
    ),
    Fault("gradient of q", A, "attention_backward", of_gradient(1 + 1e-5, 1, 1), A.test_gradient),
    Fault("gradient of k", A, "attention_backward", of_gradient(1, -1, 1), A.test_gradient),
    Fault("gradient of v", A, "attention_backward", of_gradient(1, 1, 2), A.test_gradient),
    Fault("gradient everywhere", A, "attention_backward", everywhere, A.test_gradient_laws),
    Fault("gradient everywhere", A, "attention_backward", everywhere, A.test_gradient_of_what_was_not_read_is_0, F8),
    Fault(
        "gradient of one head",
        A,
        "attention_backward",
        lambda *a, **o: BACKWARD(a[0], a[1] * 0 + a[1][0], *a[2:], **o),
        A.test_gradients_of_shared_blocks_add_up,
    ),
]


@pytest.mark.parametrize("fault", OF_KERNELS, ids=str)
def test_wrong_attention_is_caught(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault.where, fault.name, fault.faulty)
    must_fail(fault.test, *fault.args)


# --- the doors --------------------------------------------------------------------------------------------------------


def in_turn(q: tuple[int, ...], k: tuple[int, ...]) -> Any:
    """Heads of k dealt out: 0 1 0 1 in the place of 0 0 1 1."""
    lead, (of_q, of_k) = HEADS(q, k)
    return lead, [of_q, np.arange(of_k.size) % (of_k.max() + 1)]


def one_mask(shape: tuple[int, ...], lead: tuple[int, ...]) -> np.ndarray:
    return np.zeros(int(np.prod(lead)), np.int64)


def without(name: str, function: Faulty = WEIGHED) -> Faulty:
    """The argument `name` has no effect."""
    return lambda *args, **options: function(*args, **{n: v for n, v in options.items() if n != name})


def wide(q: Any, *args: Any, **options: Any) -> Any:
    return WEIGHED(np.asarray(q, float), *args, **options)


def over_all(x: Any, axis: Any = None, **options: Any) -> Any:
    return SOFTMAX(x, None, **options)


DOORS = [
    Fault("heads in turn", public, "_heads", in_turn, M.test_heads, ((6,), (2,))),
    Fault("first block for all", public, "_blocks_of", one_mask, M.test_masks, ((2, 3), 4, bool)),
    Fault("causal ignored", M, "attention_with_weights", without("causal"), M.test_causal_windows_past_and_padding),
    Fault(
        "lengths ignored",
        M,
        "attention_with_weights",
        without("lengths"),
        M.test_padding_is_counted_for_each_batch_not_each_head,
    ),
    Fault("softcap ignored", M, "attention_with_weights", without("softcap"), M.test_scale_and_softcap),
    Fault("always float64", M, "attention_with_weights", wide, M.test_float32_stays_where_all_are),
    Fault(
        "wrong gradient",
        M,
        "attention_gradients",
        without("softcap", M.attention_gradients),
        M.test_gradients,
        ((), ()),
    ),
    Fault("mask ignored", N, "softmax", without("mask", SOFTMAX), N.test_obvious_version),
    Fault("axis lost", N, "softmax", over_all, N.test_obvious_version),
    Fault("axis lost", N, "FUNCTIONS", N.FUNCTIONS | {"softmax": over_all}, N.test_any_axes),
]


@pytest.mark.parametrize("fault", DOORS, ids=str)
def test_wrong_doors_are_caught(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault.where, fault.name, fault.faulty)
    must_fail(fault.test, *fault.args)
