"""`show`: the pages on a fitted model, from a notebook or a script, in a process of their own.

The model goes to the other process in a file of its own, which goes when the pages are closed.
"""

from __future__ import annotations

import atexit
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from xattn.errors import check_fitted, check_whole, refuse

if TYPE_CHECKING:
    from xattn.recommenders import Recommender

__all__ = ["Pages", "show"]

WAIT = 300.0  # seconds until the pages have to be there: kernels may have to be compiled first
ASK = 0.2  # seconds between two questions whether they are
END = 5.0  # seconds that the server has to end by itself


class Pages:
    """Pages that are served: `url` says where; `close()` ends them, as does the end of this process."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
        self.url = url
        self._process = process
        self._folder = folder
        atexit.register(self.close)

    def __repr__(self) -> str:
        return f"Pages({self.url}{'' if self._process.poll() is None else ', closed'})"

    def _repr_html_(self) -> str:
        url = escape(self.url, quote=True)
        return f'<a href="{url}" target="_blank">{url}</a><iframe src="{url}" width="100%" height="800"></iframe>'

    def close(self) -> None:
        """End the server; nothing of the model stays behind."""
        atexit.unregister(self.close)
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(END)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.cleanup()


def show(model: Recommender, port: int | None = None, *, scenario: str = "films") -> Pages:
    """Serve every page on this fitted model and its data at http://localhost:`port` (a free one, if left out).

    Returns when the pages can be opened; in a notebook, the last line of a cell shows them. `scenario` says what people
    do with items, as in `Ledger.text`. Only this machine can reach the pages. Raises NotFittedError for a model
    that is not fitted, InputError for a port that is no port, and where the server does not come up.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import Popularity
    >>> show(Popularity().fit(planted("genre", seed=0).data), port=0)
    Traceback (most recent call last):
    xattn.errors.InputError: `port` must be a whole number from 1 to 65535; got 0.
    """
    check_fitted(model, "data_")
    at = _free_port() if port is None else check_whole("port", port, low=1, high=65535)
    folder = tempfile.TemporaryDirectory(prefix="xattn-show-")
    path = Path(folder.name) / "model.npz"
    model.save(path)
    command = [sys.executable, "-m", "xattn", "app", "--model", str(path), "--port", str(at), "--scenario", scenario]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    pages = Pages(f"http://localhost:{at}", process, folder)
    end = time.monotonic() + WAIT
    while process.poll() is None and time.monotonic() < end:
        if _answers(f"{pages.url}/readyz"):
            return pages
        time.sleep(ASK)
    process.kill()
    said = (process.stderr.read() if process.stderr else b"").decode(errors="replace").strip().splitlines()
    pages.close()
    refuse("pages_not_up", got=said[-1] if said else "–")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1.0) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
