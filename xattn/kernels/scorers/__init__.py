"""Scores of queries against keys, five ways: dot, scaled dot, cosine, additive, bilinear; each with its gradient.

    dot         q·k                       Luong, Pham, Manning 2015
    scaled dot  q·k / √d                  Vaswani et al. 2017
    cosine      q·k / (|q| |k|)           in [−1, 1]; 0 for a zero vector
    additive    v · tanh(Wq q + Wk k)     Bahdanau, Cho, Bengio 2015
    bilinear    qᵀ W k                    Luong, Pham, Manning 2015

Queries q (R, d) and keys k (n, d) give scores e (R, n). Additive and bilinear take keys of another width c as well:
Wq (h, d), Wk (h, c), v (h,), W (d, c). All arrays of a call share one float type; sums run in float64, and so does what
lies between (Wq q, Wk k, qᵀ W).
"""

from __future__ import annotations

from xattn.kernels.scorers.cosines import cosine, cosine_backward
from xattn.kernels.scorers.dots import (
    BilinearGradient,
    PairGradient,
    bilinear,
    bilinear_backward,
    dot,
    dot_backward,
    scaled_dot,
    scaled_dot_backward,
)
from xattn.kernels.scorers.hidden import AdditiveGradient, additive, additive_backward

__all__ = [
    "AdditiveGradient",
    "BilinearGradient",
    "PairGradient",
    "additive",
    "additive_backward",
    "bilinear",
    "bilinear_backward",
    "cosine",
    "cosine_backward",
    "dot",
    "dot_backward",
    "scaled_dot",
    "scaled_dot_backward",
]
