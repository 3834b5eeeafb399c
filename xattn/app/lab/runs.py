"""Jobs run again, in a process of their own: one at a time for the whole server, with progress, and a way to stop it.

`XATTN_LAB_RUNS=off` in the environment keeps visitors from starting any.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from xattn.app import state
from xattn.app.ui.caches import kept
from xattn.recommenders import Popularity

__all__ = ["Runs", "Status", "allowed", "runs"]

SWITCH = "XATTN_LAB_RUNS"
COMMAND = (sys.executable, "-m", "xattn.app.lab.jobs")
PATIENCE = 5.0  # seconds that a job has to end by itself


class Status(NamedTuple):
    """How far the newest run is. `state` is idle, running, done, failed or cancelled."""

    job: str = ""
    state: str = "idle"
    share: float = 0.0
    what: str = ""


_one_runs = threading.Semaphore(1)  # for the whole server, whatever the sessions show


class Runs:
    """The runs of a server. `command` is what is started, followed by a job's name, --out and a file."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self.results: dict[str, dict[str, Any]] = {}
        self._command = command
        self._status = Status()
        self._process: subprocess.Popen[str] | None = None
        self._follower: threading.Thread | None = None
        self._lock = threading.Lock()
        self.folder: tempfile.TemporaryDirectory[str] | None = None  # what the runs read; it goes with them

    @property
    def status(self) -> Status:
        """The status of the newest run."""
        return self._status

    def start(self, job: str) -> bool:
        """Start a job; False where one is running already."""
        with self._lock:
            if self._status.state == "running" or not _one_runs.acquire(blocking=False):
                return False
            folder = Path(tempfile.mkdtemp(prefix="xattn-lab-"))
            out = folder / "result.json"
            self._process = subprocess.Popen(
                [*self._command, job, "--out", str(out)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
            self._status = Status(job, "running")
            self._follower = threading.Thread(target=self._follow, args=(self._process, job, out), daemon=True)
            self._follower.start()
            return True

    def cancel(self) -> None:
        """Stop what is running; what was kept before stays. After it another job may start."""
        with self._lock:
            process, follower = self._process, self._follower
            if process is None or process.poll() is not None:
                return
            self._status = self._status._replace(state="cancelled")
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
        if follower is not None:
            follower.join(PATIENCE)  # it gives the place back

    def _follow(self, process: subprocess.Popen[str], job: str, out: Path) -> None:
        """Read the job's lines until it ends, then its result."""
        assert process.stdout is not None
        for line in process.stdout:
            share, tab, what = line.strip().partition("\t")
            with self._lock:
                if tab and self._is_mine(process):
                    self._status = Status(job, "running", min(1.0, max(0.0, float(share))), what)
        code = process.wait()
        _one_runs.release()
        with self._lock:
            if self._is_mine(process):
                if code == 0 and out.is_file():
                    self.results[job] = json.loads(out.read_text("utf-8"))
                    self._status = Status(job, "done", 1.0)
                else:
                    self._status = Status(job, "failed")
        out.unlink(missing_ok=True)
        out.parent.rmdir()

    def _is_mine(self, process: subprocess.Popen[str]) -> bool:
        """The process is the newest one, and nobody cancelled it: after a cancel another may be running already."""
        return self._process is process and self._status.state == "running"


def runs() -> Runs:
    """Those of this server, or of this session where it shows data of its own."""
    return _runs_of(state.dataset().checksum)


def _end(made: Runs) -> None:
    atexit.unregister(made.cancel)
    made.cancel()
    if made.folder is not None:
        made.folder.cleanup()


@kept(st.cache_resource, on_release=_end, speaks=False, max_entries=1)
def _runs_of(checksum: str) -> Runs:
    shown = state.own()
    if shown is None:
        made = Runs()
    else:
        folder = tempfile.TemporaryDirectory(prefix="xattn-shown-")
        made = Runs((*COMMAND, "--model", _file_of(shown, Path(folder.name))))
        made.folder = folder
    atexit.register(made.cancel)
    return made


def _file_of(shown: state.Own, folder: Path) -> str:
    """A file in `folder` that a job can read what is shown from."""
    path = folder / "shown.npz"
    (shown.model or Popularity().fit(shown.data)).save(path)
    return str(path)


def allowed() -> bool:
    """Whether visitors may start a job."""
    return os.environ.get(SWITCH, "on").strip().lower() not in ("off", "0", "no", "false")
