"""The decorator of compiled code: which twin runs, how many threads, the flags, and where nothing can be cached."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from tests.kernels.cases import CASES
from xattn.errors import InputError
from xattn.kernels import compile as pool
from xattn.kernels.compile import Kernel, num_threads, parallel_pool, serial_kernels, threading_layer

COMPILED = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="asks what the compiler made, and there is no JIT")
EVERY = pytest.mark.parametrize("kernel", [case.kernel for case in CASES.values()], ids=CASES)


@COMPILED
@EVERY
def test_flags_of_every_kernel(kernel: Kernel) -> None:
    """No fastmath: it deletes the guards against NaN and empty rows. Both twins let other threads run."""
    for twin, parallel in ((kernel.serial, False), (kernel.parallel, True)):
        options = twin.targetoptions
        assert not options.get("fastmath", False)
        assert (options["error_model"], options["nogil"], options["parallel"]) == ("numpy", True, parallel)


@COMPILED
@EVERY
def test_twins_have_names_of_their_own(kernel: Kernel) -> None:
    """Numba's cache would hand one of them the other's machine code."""
    assert kernel.serial.py_func.__name__ != kernel.parallel.py_func.__name__
    assert kernel.serial.py_func.__code__.co_name == kernel.serial.py_func.__name__


class Recorded(Kernel):
    """Says which twin was called, and with how many threads."""

    def __init__(self) -> None:
        self.serial = lambda *args: ("serial", 0)
        self.parallel = lambda *args: ("parallel", numba.get_num_threads())


@pytest.mark.parametrize("threads", ["1", "2"])
def test_work_alone_decides_which_twin_runs(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XATTN_NUM_THREADS", threads)
    kernel = Recorded()
    assert kernel(work=pool.SMALL_WORK - 1)[0] == "serial"
    assert kernel(work=pool.SMALL_WORK) == ("parallel", num_threads())


@pytest.mark.parametrize(
    ("wanted", "got"),
    [("1", 1), (" 1 ", 1), ("10000", "all"), ("", "all"), (" ", "all")],
)
def test_number_of_threads(wanted: str, got: int | str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XATTN_NUM_THREADS", wanted)
    assert num_threads() == (numba.config.NUMBA_NUM_THREADS if got == "all" else got)


@pytest.mark.parametrize("wanted", ["0", "two", "-1", "1.5", "²", "1" * 10])
def test_what_is_no_number_of_threads_is_refused(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XATTN_NUM_THREADS", wanted)
    with pytest.raises(InputError, match=f"`XATTN_NUM_THREADS` .* a whole number >= 1, or not set; got '{wanted}'"):
        num_threads()


def test_threads_of_the_caller_are_restored_also_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XATTN_NUM_THREADS", "1")
    before = numba.get_num_threads()
    with parallel_pool():
        assert numba.get_num_threads() == 1
    with pytest.raises(ZeroDivisionError), parallel_pool():
        raise ZeroDivisionError
    assert numba.get_num_threads() == before


def test_layer_is_asked_for_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def probe() -> str:
        asked.append("")
        return "omp"

    monkeypatch.setattr(pool, "_layer", None)
    monkeypatch.setattr(pool, "_probe_layer", probe)
    crowd = [threading.Thread(target=threading_layer) for _ in range(8)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert (threading_layer(), len(asked)) == ("omp", 1)


def test_another_may_have_asked_while_one_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the lock the pool was started: it is not started twice."""

    class Taken:
        def __enter__(self) -> None:
            pool._layer = "omp"

        def __exit__(self, *error: object) -> None:
            pass

    monkeypatch.setattr(pool, "_layer", None)
    monkeypatch.setattr(pool, "_start_lock", Taken())
    monkeypatch.setattr(pool, "_probe_layer", lambda: "another")
    assert threading_layer() == "omp"


@pytest.mark.parametrize("chosen", ["", "omp"])
def test_where_no_thread_safe_layer_loads_one_kernel_runs_at_a_time(
    chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A layer that the environment names is asked for first; `workqueue` gets a lock."""
    asked: list[str] = []

    def probe() -> str:
        asked.append(numba.config.THREADING_LAYER)
        if len(asked) == 1:
            raise ValueError("No threading layer could be loaded.")
        return "workqueue"

    monkeypatch.setenv("NUMBA_THREADING_LAYER", chosen)
    if not chosen:
        monkeypatch.delenv("NUMBA_THREADING_LAYER")
    monkeypatch.setattr(numba.config, "THREADING_LAYER", chosen or "default")
    monkeypatch.setattr(pool, "_layer", None)
    monkeypatch.setattr(pool, "_pool_lock", None)
    monkeypatch.setattr(pool, "_probe_layer", probe)
    assert threading_layer() == "workqueue"
    assert asked == [chosen or "threadsafe", "workqueue"]
    with parallel_pool():
        assert not _free(pool._pool_lock)
    assert _free(pool._pool_lock)


def _free(lock: Any) -> bool:
    """Another thread could take the lock."""
    got: list[bool] = []

    def take() -> None:
        got.append(lock.acquire(blocking=False))
        if got[0]:
            lock.release()

    other = threading.Thread(target=take)
    other.start()
    other.join()
    return got[0]


def test_callers_with_own_threads_get_the_serial_twin() -> None:
    kernel = Recorded()
    with serial_kernels():
        assert kernel(work=10 * pool.SMALL_WORK)[0] == "serial"
        with serial_kernels():
            pass
        assert kernel(work=10 * pool.SMALL_WORK)[0] == "serial"
    assert kernel(work=10 * pool.SMALL_WORK)[0] == "parallel"


def test_without_a_folder_for_the_cache_code_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba refuses `cache=True` with a RuntimeError where it can write nowhere, at import."""

    def njit(*args: Any, cache: bool = False, **flags: Any) -> Callable[[Any], Any]:
        def refuse(func: Any) -> Any:
            raise RuntimeError("cannot cache function: no locator available")

        return refuse if cache else numba.njit(*args, **flags)

    monkeypatch.setattr(pool, "njit", njit)

    @Kernel
    def double(x, out):  # type: ignore[no-untyped-def]
        for i in range(x.shape[0]):
            out[i] = 2 * x[i]

    x, out = np.arange(3.0), np.empty(3)
    double(x, out, work=3)
    assert out.tolist() == [0.0, 2.0, 4.0]
