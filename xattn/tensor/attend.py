"""One query attends to one history: the article's four steps (§4.3) on any vectors.

    score e_i = s(q, k_i)   →   weight a_i (softmax, temperature, β, threshold)   →   fused y = Σ a_i x_i

Every argument is checked here; the kernels trust their arrays. All sums run in float64. This is the model at the size
of a worked example; the recommenders are for whole catalogues.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xattn.errors import (
    check_array,
    check_choice,
    check_given,
    check_mask,
    check_no_overflow,
    check_number,
    check_probability,
    check_same_columns,
    check_same_length,
)
from xattn.kernels import fusion as fusions
from xattn.kernels import scorers
from xattn.kernels.softmax import weights

__all__ = ["FUSIONS", "SCORERS", "Attended", "attend"]

SCORERS = ("dot", "scaled_dot", "cosine", "additive", "bilinear")
FUSIONS = ("multiply", "add")
PARAMETERS = {"additive": ("Wq", "Wk", "v"), "bilinear": ("W",)}  # the others have none
Score = Callable[..., np.ndarray]


@dataclass(frozen=True, eq=False, repr=False)
class Attended:
    """What one query gives over a history of n events; arrays are float64 and read-only.

    `contributions`, summed in the order of the events, are `fused`. `attended` counts the events with a weight over 0.
    A masked event has score −inf, weight 0 and contribution 0.
    """

    scores: np.ndarray  # (n,)
    weights: np.ndarray  # (n,)
    fused: np.ndarray  # (d,)
    contributions: np.ndarray  # (n, d)
    attended: int

    def __repr__(self) -> str:
        most = f", most to event {int(np.argmax(self.weights))} ({self.weights.max():.3g})" if self.attended else ""
        return f"<Attended: {self.attended} of {self.weights.size} events{most}>"


def attend(
    query: Any,
    keys: Any,
    values: Any,
    *,
    scorer: str = "dot",
    temperature: float = 1.0,
    beta: float = 1.0,
    threshold: float = 0.0,
    fusion: str = "multiply",
    mask: Any = None,
    W: Any = None,
    Wq: Any = None,
    Wk: Any = None,
    v: Any = None,
) -> Attended:
    """Attend with `query` (d,) to events with `keys` (n, d) and `values` (n, d_values); returns `Attended`.

    `scorer`: dot, scaled_dot, cosine, additive (needs `Wq` (h, d), `Wk` (h, c), `v` (h,)), bilinear (needs `W` (d, c));
    for the last two the keys are (n, c). `temperature` > 0: a higher one makes the weights more equal. `beta` is the
    exponent of the normaliser, 0 to 1: 1 is softmax, and a lower one lets long histories weigh more than 1 in all.
    Weights under `threshold` (0 to 1) become 0. `fusion`: multiply (Σ a_i x_i) or add (the mean of x_i + a_i over the
    live events). `mask` (n,) bool: an event that is False counts as absent, and its key and value may hold anything. An
    empty history fuses to zeros.

    Raises InputError when an argument breaks one of these conditions, or when finite vectors overflow (q·k > 1.8e308).
    Source: the article, §4.1 to §4.3.

    >>> attend([1, 1, 1], [[1, 0, 1], [0, 1, 0], [1, 1, 1]], [[5, 10, 2], [3, 7, 1], [8, 4, 6]]).fused.round(5).tolist()
    [6.81566, 5.73846, 4.57093]
    """
    check_choice("scorer", scorer, SCORERS)
    check_choice("fusion", fusion, FUSIONS)
    T = check_number("temperature", temperature, low=0.0, open_low=True)
    beta = check_probability("beta", beta)
    theta = check_probability("threshold", threshold)
    q = check_array("query", query, ndim=1, dtype=np.float64)
    K = check_array("keys", keys, ndim=2, finite=False, dtype=np.float64)
    X = check_array("values", values, ndim=2, finite=False, dtype=np.float64)
    check_same_length(keys=K.shape[0], values=X.shape[0])
    live = np.ones(K.shape[0], dtype=np.bool_) if mask is None else check_mask("mask", mask, size=K.shape[0])
    check_array("keys", K[live], ndim=2)
    check_array("values", X[live], ndim=2)
    parameters = _parameters(scorer, q.size, K.shape[1], {"W": W, "Wq": Wq, "Wk": Wk, "v": v})

    score: Score = getattr(scorers, scorer)
    fuse = fusions.fuse_multiply if fusion == "multiply" else fusions.fuse_add
    e = score(q[None], K, *parameters)
    check_no_overflow("scores", e[0][live])
    a = weights(e, live[None], T, beta, theta)
    y, c = fuse(a, X, live[None])
    check_no_overflow("fused", y)
    e[0][~live] = -np.inf
    for array in (e, a, y, c):
        array.flags.writeable = False
    return Attended(e[0], a[0], y[0], c[0], int(np.count_nonzero(a)))


def _parameters(scorer: str, d: int, c: int, given: dict[str, Any]) -> list[np.ndarray]:
    """The arrays that `scorer` needs, in its kernel's order; refused unless just these are given, of equal widths."""
    needed = PARAMETERS.get(scorer, ())
    for name, value in given.items():
        check_given(name, value, wanted=name in needed, when="scorer", choice=scorer)
    arrays = {n: check_array(n, given[n], ndim=1 if n == "v" else 2, dtype=np.float64) for n in needed}
    if scorer == "additive":
        check_same_columns(query=d, Wq=arrays["Wq"].shape[1])
        check_same_columns(keys=c, Wk=arrays["Wk"].shape[1])
        check_same_length(Wq=arrays["Wq"].shape[0], Wk=arrays["Wk"].shape[0], v=arrays["v"].size)
    elif scorer == "bilinear":
        check_same_length(query=d, W=arrays["W"].shape[0])
        check_same_columns(keys=c, W=arrays["W"].shape[1])
    else:
        check_same_columns(query=d, keys=c)
    return list(arrays.values())
