"""The smallest set of events without which k competitors are ahead of a target: depth-first search with bounds.

n events, C competitors, H heads whose attention all share, G heads of which each item has an attention of its own:

    d_c(R) = Δb_c + Σ_h (ΔN_hc − Σ_{i∈R} D_hci) / S_h(R)^{β_h} + own_c(R)        S_h(R) = Σ_{i∉R} E_hi

is how far the target is ahead of competitor c when the set R is masked; D_hci = E_hi (X_ti − X_ci). R is an answer when
d_c(R) ≤ 0 for k of them. With φ_h = S_h(R)^{−β_h} free in [S_h^{−β_h}, S_h(m least)^{−β_h}] the least d of all R of
size m is at a corner of that box and takes the m largest Σ_h φ_h D_hci, so

    bound_c = min over corners v of  Δb_c + Σ_h φ_hv ΔN_hc − Σ of the m largest Σ_h φ_hv D_hci − slack_c ≤ d_c(R)

for every R. A branch in which fewer than k bounds are ≤ 0 holds no answer. What is left is evaluated in full. Nothing
is lost where S(R) is much smaller than S: sums are then taken anew over what is left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.kernels.compile import compiled

__all__ = ["FOUND", "NONE", "SPENT", "Heads", "smallest_of_size"]

FOUND, NONE, SPENT = 1, 0, -1
MOST_BOUNDS = 4_000_000  # numbers of the table of bounds: 32 MB; a search that needs more is not begun
ANEW = 1e-3  # share of a sum under which what is left is summed anew, not subtracted


class Heads(NamedTuple):
    """What d is made of; arrays float64. `n` live events, `C` competitors."""

    gap: np.ndarray  # (C,) Δb
    slack: np.ndarray  # (C,) what the own heads can add to d or take from it at most, and rounding
    E: np.ndarray  # (H, n)
    D: np.ndarray  # (H, C, n)
    beta: np.ndarray  # (H,)
    own_E: np.ndarray  # (G, 1 + C, n) the target's first
    own_EX: np.ndarray  # (G, 1 + C, n)
    own_beta: np.ndarray  # (G,)


@compiled
def _rest(x, chosen, m):  # type: ignore[no-untyped-def]
    """Σ of x (n,) without the m chosen places."""
    total = 0.0
    for i in range(x.shape[0]):
        out = False
        for a in range(m):
            out |= chosen[a] == i
        if not out:
            total += x[i]
    return total


@compiled
def _own(own_E, own_EX, own_beta, at, chosen, m):  # type: ignore[no-untyped-def]
    """The own heads' part of the score of item `at` without the chosen events."""
    s = 0.0
    for g in range(own_E.shape[0]):
        S = _rest(own_E[g, at], chosen, m)
        if S > 0.0:
            s += _rest(own_EX[g, at], chosen, m) / S ** own_beta[g]
    return s


@compiled
def _leaf(gap, slack, E, S, D, N, beta, own_E, own_EX, own_beta, chosen, m, k, tol):  # type: ignore[no-untyped-def]
    """Whether at least k competitors are ahead without the m chosen events."""
    H, C = D.shape[0], D.shape[1]
    phi = np.empty(H)
    anew = np.zeros(H, np.bool_)
    for h in range(H):
        left = S[h]
        for a in range(m):
            left -= E[h, chosen[a]]
        anew[h] = left < ANEW * S[h]
        if anew[h]:
            left = _rest(E[h], chosen, m)
        phi[h] = left ** -beta[h] if left > 0.0 else 0.0
    near = 0
    d = np.empty(C)
    for c in range(C):
        x = gap[c]
        for h in range(H):
            if anew[h]:
                x += phi[h] * _rest(D[h, c], chosen, m)
            else:
                rest = N[h, c]
                for a in range(m):
                    rest -= D[h, c, chosen[a]]
                x += phi[h] * rest
        d[c] = x
        near += x - slack[c] <= tol
        if near + C - 1 - c < k:
            return False
    if own_E.shape[0] == 0:
        return True
    ahead = 0
    mine = _own(own_E, own_EX, own_beta, 0, chosen, m)
    for c in range(C):
        if d[c] + slack[c] <= tol:
            ahead += 1
        elif d[c] - slack[c] <= tol:
            ahead += d[c] + mine - _own(own_E, own_EX, own_beta, c + 1, chosen, m) <= tol
    return ahead >= k


@compiled
def _best_gains(best, D, corners):  # type: ignore[no-untyped-def]
    """Assigns best[q, s, v, c], the sum of the q + 1 largest gains of the events s, s + 1, … at corner v."""
    m = best.shape[0]
    H, C, n = D.shape
    top = np.empty(m)
    for v in range(corners.shape[0]):
        for c in range(C):
            for q in range(m):
                top[q] = 0.0
            for s in range(n - 1, -1, -1):
                gain = 0.0
                for h in range(H):
                    gain += corners[v, h] * D[h, c, s]
                for q in range(m):
                    if gain > top[q]:
                        top[q], gain = gain, top[q]
                total = 0.0
                for q in range(m):
                    total += top[q]
                    best[q, s, v, c] = total


@compiled
def _search(chosen, gap, slack, E, D, beta, own_E, own_EX, own_beta, corners, k, tol, budget):  # type: ignore[no-untyped-def]
    """Assigns `chosen` (m,), an answer of size m; returns FOUND, NONE, or SPENT after `budget` steps without an end."""
    m = chosen.shape[0]
    H, C, n = D.shape
    V = corners.shape[0]
    S = np.zeros(H)
    N = np.zeros((H, C))
    for h in range(H):
        for i in range(n):
            S[h] += E[h, i]
        for c in range(C):
            for i in range(n):
                N[h, c] += D[h, c, i]
    best = np.zeros((m, n + 1, V, C))
    _best_gains(best, D, corners)
    at = np.empty((m + 1, V, C))  # at[p]: the bound's fixed part when p events are chosen
    for v in range(V):
        for c in range(C):
            at[0, v, c] = gap[c] - slack[c]
            for h in range(H):
                at[0, v, c] += corners[v, h] * N[h, c]
    place = np.zeros(m + 1, np.int64)  # place[p]: the next event to try at depth p
    p = 0
    steps = 0
    while p >= 0:
        s = place[p]
        q = m - p  # events that are left to choose
        if s > n - q:
            p -= 1
            continue
        near = 0
        for c in range(C):
            for v in range(V):
                if at[p, v, c] - best[q - 1, s, v, c] <= tol:
                    near += 1
                    break
            if near >= k:
                break
        steps += C
        if steps > budget:
            return SPENT
        if near < k:
            p -= 1  # no choice from here on helps
            continue
        chosen[p] = s
        place[p] = s + 1
        if q == 1:
            steps += C
            if _leaf(gap, slack, E, S, D, N, beta, own_E, own_EX, own_beta, chosen, m, k, tol):
                return FOUND
            continue
        for v in range(V):
            for c in range(C):
                gain = 0.0
                for h in range(H):
                    gain += corners[v, h] * D[h, c, s]
                at[p + 1, v, c] = at[p, v, c] - gain
        place[p + 1] = s + 1
        p += 1
    return NONE


def smallest_of_size(heads: Heads, m: int, k: int, tol: float, budget: float) -> tuple[int, np.ndarray]:
    """(status, events): an answer of exactly `m` of the n > m events, of which at least `k` competitors profit.

    d ≤ `tol` counts as ahead, so that no answer is missed by rounding; the caller has to score what is found. After
    `budget` comparisons the search ends with SPENT.
    """
    H, _, n = heads.D.shape
    least = np.sort(heads.E, axis=1)[:, : n - m].sum(axis=1)
    if H and least.min() <= 1e-9 * heads.E.sum(axis=1).max():
        return SPENT, np.empty(0, np.int64)
    low, high = heads.E.sum(axis=1) ** -heads.beta, least**-heads.beta
    moving = np.flatnonzero(heads.beta > 0)
    corners = np.repeat(low[None, :], 2 ** len(moving), axis=0)
    for bit, h in enumerate(moving):
        corners[(np.arange(len(corners)) >> bit) & 1 == 1, h] = high[h]
    gains = np.einsum("vh,hcn->vcn", corners, heads.D)
    sums = gains.sum(axis=2)
    largest = np.partition(gains, n - m, axis=2)[:, :, n - m :]
    bound = heads.gap - heads.slack + sums - np.maximum(largest, 0.0).sum(axis=2)
    kept = np.flatnonzero(bound.min(axis=0) <= tol)
    if len(kept) < k:
        return NONE, np.empty(0, np.int64)
    order = np.argsort(-gains[0, kept].sum(axis=0), kind="stable")  # who helps most comes first, so branches end early
    items = np.concatenate([[0], kept + 1])
    if (m * (n + 1) * len(corners) * len(kept)) > MOST_BOUNDS:
        return SPENT, np.empty(0, np.int64)
    chosen = np.zeros(m, np.int64)
    status = _search(
        chosen,
        heads.gap[kept],
        heads.slack[kept],
        np.ascontiguousarray(heads.E[:, order]),
        np.ascontiguousarray(heads.D[:, kept][:, :, order]),
        heads.beta,
        np.ascontiguousarray(heads.own_E[:, items][:, :, order]),
        np.ascontiguousarray(heads.own_EX[:, items][:, :, order]),
        heads.own_beta,
        corners,
        k,
        tol,
        budget,
    )
    return int(status), np.sort(order[chosen])
