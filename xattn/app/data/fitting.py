"""A fit in the background of a session: with progress, to be cancelled, and given up when the session ends.

The thread refers to the Fitting weakly. When the session that holds it is gone, the next report of progress finds
nobody and ends the fit. Two fits go on at one time in a server; others wait.
"""

from __future__ import annotations

import logging
import threading
import weakref
from typing import Any

from xattn.app import state
from xattn.app.state import Own
from xattn.app.ui.session import FITTING
from xattn.data import Interactions
from xattn.errors import XattnError
from xattn.explain import Origin
from xattn.recommenders import HybridAttention
from xattn.recommenders.hybrid import ENOUGH

__all__ = ["Fitting", "can_learn", "settings_of", "take_over"]

log = logging.getLogger(__name__)
_places = threading.Semaphore(2)
WAIT = 0.2  # seconds between two looks whether somebody still waits for a fit that has not begun


class Fitting:
    """One fit. `state` is waiting, running, done, cancelled or failed; `refusal` says why it failed, where that is the
    fault of the data."""

    def __init__(self, shown: Own, settings: dict[str, Any]) -> None:
        self.shown, self.settings = shown, settings
        self.state, self.share, self.what = "waiting", 0.0, ""
        self.refusal: XattnError | None = None
        self.model: HybridAttention | None = None
        self.taken = False
        self._cancelled = threading.Event()
        thread = threading.Thread(target=_run, args=(weakref.ref(self), shown.data, settings), daemon=True)
        thread.start()

    @property
    def goes_on(self) -> bool:
        """It has not come to an end."""
        return self.state in ("waiting", "running")

    @property
    def awaited(self) -> bool:
        """It goes on, or this session has not yet taken over what came of it."""
        return self.goes_on or (self.state == "done" and not self.taken)

    @property
    def learns(self) -> bool:
        """Learned heads are trained beside the closed form."""
        return self.settings.get("learned") != "never"

    def cancel(self) -> None:
        """End it at the next report of progress; what was shown before stays."""
        self._cancelled.set()
        self.state = "cancelled"

    def tell(self, what: str, share: float) -> None:
        """Take in a report of progress; raises `_EndedError` where nobody waits any more."""
        if self._cancelled.is_set():
            raise _EndedError
        self.state, self.what, self.share = "running", what, min(1.0, max(0.0, share))


class _EndedError(Exception):
    """Nobody waits for the fit any more."""


def _run(waiting: weakref.ref[Fitting], data: Interactions, settings: dict[str, Any]) -> None:
    def tell(what: str, share: float) -> None:
        fitting = waiting()
        if fitting is None:
            raise _EndedError
        fitting.tell(what, share)

    def end(state: str, **found: Any) -> None:
        fitting = waiting()
        if fitting is not None and fitting.goes_on:
            vars(fitting).update(found)
            fitting.state = state

    while not _places.acquire(timeout=WAIT):
        fitting = waiting()
        if fitting is None or not fitting.goes_on:
            return
        del fitting
    try:
        tell("", 0.0)
        end("done", model=HybridAttention(**settings).fit(data, progress=tell))
    except _EndedError:
        log.debug("a fit was given up")
    except XattnError as refusal:
        end("failed", refusal=refusal)
    except Exception:
        log.exception("a fit failed")
        end("failed")
    finally:
        _places.release()


def settings_of(options: dict[str, Any], learned: bool) -> dict[str, Any]:
    """The settings of the model; what counts less or more by its type is said where the data are read."""
    own = {"event_weights": dict(options["event_weights"])} if options.get("event_weights") else {}
    return {"learned": "auto" if learned else "never", **own}


def can_learn(data: Interactions) -> bool:
    """There is enough to train heads on."""
    return data.n_events >= ENOUGH


def take_over() -> None:
    """Show this session the model of a fit that has come to its end."""
    fitting: Fitting | None = FITTING.get()
    if fitting is None or fitting.taken or fitting.state != "done" or fitting.model is None:
        return
    fitting.taken = True
    state.hold(fitting.shown._replace(model=fitting.model, origin=Origin()))
