"""One decorator for compiled code. It owns every Numba flag, the serial and the parallel twin, and the threading layer.

A kernel is one Python function over arrays, compiled twice from the same source:

- the *serial twin* for small inputs: no thread pool, no lock, callable from any number of threads at once;
- the *parallel twin* for large inputs: each `prange` iteration writes only rows that it owns, so results are bitwise
  equal at every thread count.

Which twin runs depends on the amount of work (and on `serial_kernels`), never on the number of threads.

Flags: `error_model="numpy"` (1/0 is inf, no hidden branches); `nogil` (several sessions run at once); no `fastmath` (it
deletes guards against NaN and empty rows), except for sums along vector lanes in `compiled_for_vectors`; `cache` where
a folder is writable.

Numba's cache checks whether the file of a function has changed, but not the files of functions that it calls, and it
takes a parallel build and a serial one for the same. So compiled code calls functions of its own file or of
SHARED_FILES; its name holds a fingerprint of these files, so that a change of one compiles everything anew; and twins
have different names.
"""

from __future__ import annotations

import hashlib
import os
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import njit

from xattn.errors import threads_of

__all__ = [
    "Kernel",
    "compiled",
    "compiled_for_vectors",
    "num_threads",
    "parallel_pool",
    "serial_kernels",
    "threading_layer",
]

SMALL_WORK = 200_000  # scalar operations under which starting threads (about 20–50 µs) costs more than it saves

SHARED_FILES = ("lanes.py", "live.py", "logits.py", "target.py", "tiles.py", "topk.py", "vectors.py")
SHARED = hashlib.sha256(b"".join(Path(__file__).with_name(f).read_bytes() for f in SHARED_FILES)).hexdigest()[:8]


def _jit(func: Callable[..., Any], parallel: bool, **more: Any) -> Any:
    flags: dict[str, Any] = {"error_model": "numpy", "nogil": True, "parallel": parallel, **more}
    try:
        return njit(cache=True, **flags)(func)
    except RuntimeError:  # no writable cache folder anywhere: compile anew in each process
        return njit(**flags)(func)


def compiled(func: Callable[..., Any]) -> Any:
    """Compile a function that kernels call."""
    return _jit(_named(func, f"_{SHARED}"), parallel=False)


def compiled_for_vectors(func: Callable[..., Any]) -> Any:
    """`compiled`, with sums in the order of vector lanes. NaN, infinities and guards keep their meaning."""
    return _jit(_named(func, f"_{SHARED}"), parallel=False, fastmath={"contract", "reassoc", "nsz", "arcp"})


def _named(func: Callable[..., Any], suffix: str) -> Callable[..., Any]:
    code = func.__code__.replace(co_name=func.__name__ + suffix)
    twin = types.FunctionType(code, func.__globals__, func.__name__ + suffix, func.__defaults__, func.__closure__)
    twin.__qualname__ = func.__qualname__ + suffix
    twin.__module__ = func.__module__
    return twin


class Kernel:
    """A function over arrays with a serial and a parallel twin; call it with `work`, the scalar operations to do.

    >>> import numpy as np
    >>> from numba import prange
    >>> @Kernel
    ... def double(x, out):
    ...     for i in prange(x.shape[0]):
    ...         out[i] = 2 * x[i]
    >>> x, out = np.arange(3.0), np.empty(3)
    >>> double(x, out, work=3)
    >>> out
    array([0., 2., 4.])
    """

    def __init__(self, func: Callable[..., Any]) -> None:
        self.py_func = func
        self.__name__ = func.__name__
        self.__doc__ = func.__doc__
        self.serial = _jit(_named(func, f"_serial_{SHARED}"), parallel=False)
        self.parallel = _jit(_named(func, f"_parallel_{SHARED}"), parallel=True)

    def __call__(self, *args: Any, work: float) -> Any:
        if work < SMALL_WORK or getattr(_this_thread, "alone", False):
            return self.serial(*args)
        with parallel_pool():
            return self.parallel(*args)


# --- threads of the caller --------------------------------------------------------------------------------------------

_this_thread = threading.local()


@contextmanager
def serial_kernels() -> Iterator[None]:
    """In this thread every kernel takes its serial twin: for callers that use the cores with threads of their own.

    Results do not change: the twins agree to the last bit.
    """
    before = getattr(_this_thread, "alone", False)
    _this_thread.alone = True
    try:
        yield
    finally:
        _this_thread.alone = before


# --- the thread pool --------------------------------------------------------------------------------------------------

_start_lock = threading.Lock()
_pool_lock: threading.RLock | None = None  # set when the layer is not thread-safe: one parallel kernel at a time
_layer: str | None = None


def _touch(out: Any) -> None:
    for i in numba.prange(out.shape[0]):
        out[i] = i


def _probe_layer() -> str:
    """Start Numba's pool by a tiny parallel kernel; return the layer that it chose."""
    _jit(_named(_touch, f"_{SHARED}"), parallel=True)(np.empty(2))
    return "none" if numba.config.DISABLE_JIT else str(numba.threading_layer())


def threading_layer() -> str:
    """The layer in use (``omp``, ``tbb`` or ``workqueue``); starts the pool on first use.

    A thread-safe layer is preferred. Where none loads (no ``libgomp.so.1``, no TBB), the layer is ``workqueue``, which
    ends the process when two threads enter it, so a process-wide lock then admits one parallel kernel at a time.
    """
    global _layer, _pool_lock
    if _layer is None:
        with _start_lock:
            if _layer is None:
                if "NUMBA_THREADING_LAYER" not in os.environ:
                    numba.config.THREADING_LAYER = "threadsafe"
                try:
                    layer = _probe_layer()
                except ValueError:
                    numba.config.THREADING_LAYER = "workqueue"
                    layer = _probe_layer()
                if layer == "workqueue":
                    _pool_lock = threading.RLock()
                _layer = layer
    return _layer


def num_threads() -> int:
    """Threads that a parallel kernel uses: as many as ``XATTN_NUM_THREADS`` says, at most all that Numba has.

    Raises InputError where the variable says something that is no number of threads.
    """
    limit = int(numba.config.NUMBA_NUM_THREADS)
    return min(threads_of("XATTN_NUM_THREADS") or limit, limit)


@contextmanager
def parallel_pool() -> Iterator[None]:
    """Enter the thread pool safely: layer chosen, lock held where needed, this thread's count set, then restored."""
    threading_layer()
    with _pool_lock or nullcontext():
        before = numba.get_num_threads()
        numba.set_num_threads(num_threads())
        try:
            yield
        finally:
            numba.set_num_threads(before)
