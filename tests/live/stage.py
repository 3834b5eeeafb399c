"""What the tests of live share: a small data set, a fitted model, stores of both kinds, a real server."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import uvicorn
from starlette.applications import Starlette

from tests.ports import free_port
from xattn.data import Interactions, planted
from xattn.recommenders import HybridAttention

SETTINGS = {"dtype": "float64", "min_events": 2}


@cache
def data() -> Interactions:
    """Planted tastes: 40 items, ratings from 1 to 5, times."""
    return planted("genre", n_users=80, seed=0).data


def template() -> HybridAttention:
    """A model to fit."""
    return HybridAttention(**SETTINGS)


@cache
def model() -> HybridAttention:
    """It, fitted to `data`."""
    return template().fit(data())


def sqlite(folder: Path) -> str:
    """The address of a store in a folder."""
    return f"sqlite:///{folder}/events.db"


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """The application behind a real socket; its address."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def program(name: str) -> str | None:
    """A program of PostgreSQL, wherever Debian or others put it."""
    found = [shutil.which(name), *map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True))]
    return next((path for path in found if path), None)


@contextmanager
def cluster() -> Iterator[str]:
    """A PostgreSQL server of our own on loopback; its address. It does not run as root.

    Its folder is not below one of pytest's: each session of pytest that starts shuts those to all but its own user, and
    the server ends at its next checkpoint, minutes later, where it may no longer look into its own folder.
    """
    initdb, postgres = program("initdb"), program("postgres")
    assert initdb is not None
    assert postgres is not None
    user = None
    if os.getuid() == 0:
        user = next(entry.pw_name for entry in pwd.getpwall() if entry.pw_name in ("postgres", "nobody"))
    with TemporaryDirectory(prefix="xattn-postgres-") as made:
        folder = Path(made)
        if user is not None:
            shutil.chown(folder, user)
        place, port = folder / "cluster", free_port()
        make = [initdb, "-D", str(place), "-U", "test", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, user=user, cwd=folder)
        options = ["-D", str(place), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", str(folder)]
        log = folder / "log"
        with log.open("wb") as out:
            process = subprocess.Popen([postgres, *options], stdout=out, stderr=out, user=user, cwd=folder)
        try:
            _wait_until_it_answers(f"host=127.0.0.1 port={port} user=test dbname=postgres", process, log)
            yield f"postgresql://test@127.0.0.1:{port}/postgres"
            assert process.poll() is None, f"PostgreSQL ended: {_end_of(log)}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_it_answers(where: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server answers a question; fail with what it wrote when it has ended, or after two minutes."""
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        try:
            psycopg.connect(where, connect_timeout=10).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"PostgreSQL does not answer: {_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
