"""PyTorch's gradcheck on every hand-written gradient: kernels as autograd functions, against central differences.

At atol 1e-8 and rtol 1e-6, a thousand times tighter than its defaults, with rows of which everything is masked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from xattn.kernels import fusion, losses, scorers, sequence, softmax  # noqa: E402
from xattn.tensor.attention import attention, attention_gradients  # noqa: E402

Array = np.ndarray
RNG = np.random.default_rng(0)


class Pair(NamedTuple):
    """A forward of some arrays, its backward (the gradient of the output, then the arrays), and the arrays."""

    forward: Callable[..., Array]
    backward: Callable[..., Any]
    arrays: tuple[Array, ...]


def passes(pair: Pair) -> bool:
    class Checked(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(context: Any, *tensors: Any) -> Any:
            context.save_for_backward(*tensors)
            return torch.from_numpy(np.array(pair.forward(*(t.detach().numpy().copy() for t in tensors))))

        @staticmethod
        def backward(context: Any, slope: Any) -> Any:
            arrays = (t.detach().numpy().copy() for t in context.saved_tensors)
            found = pair.backward(np.ascontiguousarray(slope.numpy()), *arrays)
            return tuple(torch.from_numpy(np.array(g)) for g in found)

    inputs = tuple(torch.from_numpy(a.copy()).requires_grad_() for a in pair.arrays)
    return bool(torch.autograd.gradcheck(Checked.apply, inputs, atol=1e-8, rtol=1e-6, raise_exception=False))


def table(*shape: int) -> Array:
    return RNG.normal(size=shape)


MASK = RNG.random((4, 7)) < 0.6
MASK[2] = False
CUTS = np.array([0, 3, 3, 7])
Y = np.array([1, 0, 6, 3])


def weights_of(beta: float, shift: Array | None = None) -> Pair:
    def backward(da: Array, e: Array) -> tuple[Array]:
        a = softmax.weights(e, MASK, 1.7, beta, 0.0, shift)
        return (softmax.weights_backward(da, a, e, MASK, 1.7, beta, shift),)

    return Pair(lambda e: softmax.weights(e, MASK, 1.7, beta, 0.0, shift), backward, (table(4, 7),))


def attention_of(**options: Any) -> Pair:
    shapes = ((2, 4, 3, 5), (2, 2, 6, 5), (2, 2, 6, 4))
    return Pair(
        lambda q, k, v: attention(q, k, v, **options),
        lambda dy, q, k, v: attention_gradients(dy, q, k, v, **options),
        tuple(table(*shape) for shape in shapes),
    )


def sampled_backward(w: Array, Z: Array, p: Array) -> losses.SampleGradient:
    c = np.zeros((1, Z.shape[1]))
    return losses.sampled_cross_entropy_backward(w, losses.sampled_cross_entropy(Z, p, c), Z, p, c)


START, STOP = np.array([0, 0, 0, 0, 4, 4, 4]), np.array([4, 4, 4, 4, 7, 7, 7])


def sequence_of(keep: Array | None) -> Pair:
    options: dict[str, Any] = {"scale": 0.6, "beta": 0.7, "keep": keep}

    def backward(dO: Array, *arrays: Array) -> Any:
        done = sequence.causal_attention(*arrays, START, **options)
        return sequence.causal_attention_backward(dO, done, *arrays[:3], START, STOP, **options)

    arrays = (table(2, 7, 3), table(2, 7, 3), table(2, 7, 5), table(2, 4))
    return Pair(lambda *arrays: sequence.causal_attention(*arrays, START, **options).O, backward, arrays)


MASK_OF_ATTENTION = RNG.random((2, 1, 3, 6)) < 0.5
MASK_OF_ATTENTION[0, 0, 1] = False
PAIRS = {
    "softmax": weights_of(1.0),
    "softmax, β = ½": weights_of(0.5),
    "softmax, shift given": weights_of(0.5, np.full(4, 3.0)),
    "dot": Pair(scorers.dot, scorers.dot_backward, (table(3, 4), table(5, 4))),
    "scaled dot": Pair(scorers.scaled_dot, scorers.scaled_dot_backward, (table(3, 4), table(5, 4))),
    "cosine": Pair(scorers.cosine, scorers.cosine_backward, (table(3, 4), table(5, 4))),
    "additive": Pair(
        scorers.additive,
        scorers.additive_backward,
        (table(3, 4), table(5, 2), table(6, 4), table(6, 2), table(6)),
    ),
    "bilinear": Pair(scorers.bilinear, scorers.bilinear_backward, (table(3, 4), table(5, 2), table(4, 2))),
    "fusion, multiply": Pair(
        lambda a, x: fusion.fuse_multiply(a, x, MASK).y,
        lambda dy, a, x: fusion.fuse_multiply_backward(dy, a, x, MASK),
        (table(4, 7), table(7, 3)),
    ),
    "fusion, add": Pair(
        lambda a, x: fusion.fuse_add(a, x, MASK).y,
        lambda dy, a, x: fusion.fuse_add_backward(dy, a, x, MASK),
        (table(4, 7), table(7, 3)),
    ),
    "fusion, ragged": Pair(
        lambda a, x: fusion.fuse_ragged(a, CUTS, x, MASK[0]).y,
        lambda dy, a, x: fusion.fuse_ragged_backward(dy, a, CUTS, x, MASK[0]),
        (table(7), table(7, 3)),
    ),
    "attention": attention_of(),
    "attention, masked": attention_of(mask=MASK_OF_ATTENTION, scale=0.8),
    "attention, added mask": attention_of(mask=np.where(MASK_OF_ATTENTION, 0.3, -np.inf), softcap=1.5),
    "attention, causal": attention_of(causal=True, past=np.array([0, 2]), lengths=np.array([6, 4])),
    "attention, window": attention_of(window=(1, 2), past=-2, softcap=3.0),
    "sequence": sequence_of(None),
    "sequence, dropout": sequence_of((RNG.random((7, 2, 4)) < 0.7) / 0.7),
    "cross-entropy": Pair(
        lambda Z: losses.cross_entropy(Z, Y).loss,
        lambda w, Z: (losses.cross_entropy_backward(w, losses.cross_entropy(Z, Y), Z, Y),),
        (table(4, 7),),
    ),
    "cross-entropy, sampled": Pair(
        lambda Z, p: losses.sampled_cross_entropy(Z, p, np.zeros((1, 7))).loss,
        sampled_backward,
        (table(4, 7), table(4)),
    ),
    "BPR": Pair(losses.bpr, losses.bpr_backward, (table(4, 7), table(4))),
    "logistic": Pair(
        lambda z: losses.logistic(z, np.linspace(0, 1, 9)),
        lambda w, z: (losses.logistic_backward(w, z, np.linspace(0, 1, 9)),),
        (table(9),),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_gradient(name: str) -> None:
    assert passes(PAIRS[name])


@pytest.mark.parametrize("name", PAIRS)
def test_a_gradient_off_by_a_hundred_thousandth_is_noticed(name: str) -> None:
    pair = PAIRS[name]
    wrong = pair._replace(backward=lambda *args: [np.array(g) * (1 + 1e-5) for g in pair.backward(*args)])
    assert not passes(wrong)
