"""Word vectors in closed form: which words stand near which, factored.

    n_ab  how often words a, b stand within five words of each other        PMI_ab = log(n_ab · D / (n_a · n_b))
    M_ab = max(PMI_ab − log k, 0)  ≈  U Λ Uᵀ   (the largest K of Λ > 0)     W = U √Λ     (V words, K)

D is the sum of all n. k > 1 leaves weak ties out. Words that stand beside the same words have vectors that point the
same way, though they never stand in one text. M is symmetric, so this is its truncated SVD but for the directions of
negative sign, which say that words never stand beside themselves: W Wᵀ is the nearest to M that vectors can be.
Source: Levy and Goldberg (2014), Levy, Goldberg and Dagan (2015).

`turned` turns vectors so that people can name their dimensions: the same vectors seen along other axes, chosen so that
each word stands out on few of them (varimax, Kaiser 1958). A turn changes no angle between words.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import eigsh

__all__ = ["near_counts", "trained_vectors", "turned"]

WINDOW = 5  # words to each side
WHOLE = 1000  # words up to which the whole table is factored; above, its largest directions by Lanczos' method
TURNS = 200
STEADY = 1e-6  # share by which a turn must still better the axes
NOTHING = 1e-10  # of a vector of length 1: what is less is rounding
EVEN = 1e-6  # share by which two ends, or two directions, must differ to be told apart
FAR = 0.5  # of the farthest word


def near_counts(word: np.ndarray, text: np.ndarray, V: int, window: int = WINDOW) -> sparse.csr_array:
    """n (V, V): how often words stand near each other, of words (N,) in their order; −1 is none of the V.

    `text` (N,) says in which text each stands, texts end to end.

    >>> near_counts(np.array([0, 1, 0, 2]), np.array([0, 0, 1, 1]), 3).toarray().tolist()
    [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    total = sparse.csr_array((V, V))
    for step in range(1, window + 1):
        a, b = word[:-step], word[step:]
        near = (text[:-step] == text[step:]) & (a >= 0) & (b >= 0) & (a != b)
        a, b = a[near], b[near]
        total = total + sparse.csr_array((np.ones(len(a)), (a, b)), shape=(V, V))
    return sparse.csr_array(total + total.T)


def trained_vectors(n: sparse.csr_array, K: int, k: float, rng: np.random.Generator) -> np.ndarray:
    """W (V, at most K) from the counts n (V, V). A word without ties has a vector of zeros."""
    row_sum = np.asarray(n.sum(axis=1)).ravel()
    M = sparse.coo_array(n)
    value = np.log(M.data * row_sum.sum() / (row_sum[M.coords[0]] * row_sum[M.coords[1]])) - np.log(k)
    M = sparse.csr_array((np.maximum(value, 0.0), M.coords), shape=n.shape)
    if not M.count_nonzero():
        return np.zeros((n.shape[0], 0))
    if n.shape[0] <= max(WHOLE, 2 * K):
        size, U = np.linalg.eigh(M.toarray())
        size, U = size[-K:], U[:, -K:]
    else:
        size, U = eigsh(M, K, which="LA", v0=rng.uniform(0.5, 1.0, n.shape[0]))
    keep = size > NOTHING * size.max()
    return np.asarray(U[:, keep] * np.sqrt(size[keep]))


def turned(W: np.ndarray, weight: np.ndarray, K: int) -> np.ndarray:
    """The vectors (V, at most K) as features: length 1, less their mean by `weight` (V,), turned.

    The widest K directions are kept, the one that most is said about first. A long end is the positive one. Where ends
    are as long, or as much is said about two directions, the first word that is far out decides, and not rounding.
    """
    length = np.linalg.norm(W, axis=1, keepdims=True)
    known = length[:, 0] > 0
    W = np.divide(W, length, out=np.zeros(W.shape), where=length > 0)
    share = np.where(known, weight, 0.0)
    W = np.where(known[:, None], W - share @ W / max(share.sum(), 1e-300), 0.0)
    size, axes = np.linalg.eigh(W.T @ (share[:, None] * W))
    widest = np.argsort(-size, kind="stable")[:K]
    W = W @ axes[:, widest[size[widest] > NOTHING * max(size.max(initial=0.0), 1e-300)]]
    W = W @ _varimax(W)
    far = np.argmax(np.abs(W) > FAR * np.abs(W).max(axis=0, initial=0.0), axis=0)
    longer, both = share @ W**3, share @ np.abs(W) ** 3
    end = np.where(np.abs(longer) > EVEN * both, longer, W[far, np.arange(W.shape[1])])
    W = W * np.where(end < 0, -1.0, 1.0)
    said = share @ W**2
    W = W[:, np.lexsort((far, -np.round(said / max(said.max(initial=0.0), 1e-300) / EVEN)))]
    return np.where(np.abs(W) > NOTHING, W, 0.0)


def _varimax(W: np.ndarray) -> np.ndarray:
    """The turn R (K, K) that makes the squares of W R as uneven as can be, axis by axis."""
    K = W.shape[1]
    R, before = np.eye(K), 0.0
    for _ in range(TURNS if K > 1 else 0):
        L = W @ R
        U, size, Vt = np.linalg.svd(W.T @ (L**3 - L * (L**2).mean(axis=0)))
        R = U @ Vt
        if size.sum() < before * (1 + STEADY):
            break
        before = float(size.sum())
    return R
