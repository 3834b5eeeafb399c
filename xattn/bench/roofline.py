"""The roofline: the least time in which this machine could do a piece of work.

    ceilings    copy bandwidth; sgemm rate; exponentials a second (NumPy's, in vector code, from the second-level cache)
    work        moves bytes, does operations, takes exponentials; it cannot take less time than
                max(bytes ÷ bandwidth, operations ÷ sgemm rate + exponentials ÷ their rate)

Bytes are those that must be read from or written to memory: each input once, each output once. A write counts once,
though it may cause a read too. Source: Williams, Waterman and Patterson, Communications of the ACM 52 (2009).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from xattn.bench.race import clock
from xattn.bench.threads import limited

__all__ = ["Ceilings", "Needs", "ceilings", "sgemm_rate"]

COPY = 64_000_000  # float32 numbers: 256 MB, far past every cache
SQUARE = 4096  # rows of the matrices that sgemm multiplies
IN_CACHE = 65_536  # float32 numbers whose exponentials are taken over and over: 256 KB
TIMES = 400  # over and over
TRIES = 3


class Ceilings(NamedTuple):
    """Bytes a second that a copy reads and writes, float32 operations a second of sgemm, exponentials a second."""

    bandwidth: float
    flops: float
    exps: float


class Needs(NamedTuple):
    """The bytes, operations and exponentials that a piece of work needs at least.

    >>> str(Needs(bytes=8e6, exps=1e6))
    '8 MB, 1 M exp'
    """

    bytes: float
    flops: float = 0.0
    exps: float = 0.0

    def seconds(self, best: Ceilings) -> float:
        """The least time in which a machine could do it.

        >>> Needs(bytes=10, flops=6, exps=2).seconds(Ceilings(bandwidth=5, flops=3, exps=2))
        3.0
        """
        return max(self.bytes / best.bandwidth, self.flops / best.flops + self.exps / best.exps)

    def __str__(self) -> str:
        amounts = {"MB": self.bytes / 1e6, "GFLOP": self.flops / 1e9, "M exp": self.exps / 1e6}
        return ", ".join(f"{amount:,.3g} {unit}" for unit, amount in amounts.items() if amount)


def ceilings(threads: int, quick: bool = False) -> Ceilings:
    """The ceilings of this machine in so many threads, measured now; with `quick` on arrays too small to mean much."""
    if quick:
        return Ceilings(_copy_bandwidth(threads, 100_000), sgemm_rate(128, threads), _exp_rate(threads, 2))
    return Ceilings(_copy_bandwidth(threads, COPY), sgemm_rate(SQUARE, threads), _exp_rate(threads, TIMES))


def sgemm_rate(n: int = SQUARE, threads: int | None = None) -> float:
    """Operations a second (two a multiply-add) of a product of n × n float32 matrices by NumPy's BLAS, best of some.

    `threads` None leaves BLAS as many as it has.
    """
    if threads is not None:
        with limited(threads):
            return sgemm_rate(n)
    x = np.random.default_rng(0).standard_normal((n, n), np.float32)
    out = np.empty_like(x)
    return float(2.0 * n**3 / min(clock(lambda: np.matmul(x, x, out=out)) for _ in range(TRIES)))


def _copy_bandwidth(threads: int, size: int) -> float:
    """Bytes a second: float32 numbers, `size` in all, copied to another array: each read once, written once."""
    source = np.ones((threads, size // threads), np.float32)
    target = np.zeros_like(source)
    return 2.0 * source.nbytes / _at_once(lambda t: np.copyto(target[t], source[t]), threads)


def _exp_rate(threads: int, times: int) -> float:
    """Exponentials a second of float32 numbers that stay in the cache."""
    x = np.random.default_rng(0).standard_normal((threads, IN_CACHE), np.float32)
    out = np.empty_like(x)

    def work(t: int) -> None:
        for _ in range(times):
            np.exp(x[t], out=out[t])

    return threads * times * IN_CACHE / _at_once(work, threads)


def _at_once(work: Callable[[int], None], threads: int) -> float:
    """Seconds until each of `threads` threads has done its share, best of some; NumPy lets go of the lock meanwhile."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))  # starts the threads, touches the memory
        return min(clock(lambda: list(pool.map(work, range(threads)))) for _ in range(TRIES))
