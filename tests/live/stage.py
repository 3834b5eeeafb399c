"""What the tests of live share: a small data set, a fitted model, stores of both kinds, a real server."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

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


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
def cluster(folder: Path) -> Iterator[str]:
    """A PostgreSQL server of our own on loopback, in `folder`; its address. It does not run as root."""
    initdb, postgres = program("initdb"), program("postgres")
    assert initdb is not None
    assert postgres is not None
    user = None
    if os.getuid() == 0:
        user = next(entry.pw_name for entry in pwd.getpwall() if entry.pw_name in ("postgres", "nobody"))
        shutil.chown(folder, user)
        for parent in folder.parents:  # made for root alone by pytest
            if parent.stat().st_uid == 0 and parent.is_relative_to("/tmp") and parent != Path("/tmp"):
                parent.chmod(parent.stat().st_mode | 0o011)
    place, port = folder / "cluster", free_port()
    make = [initdb, "-D", str(place), "-U", "test", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    subprocess.run(make, check=True, capture_output=True, user=user, cwd=folder)
    options = ["-D", str(place), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", str(folder)]
    log = (folder / "log").open("wb")
    process = subprocess.Popen([postgres, *options], stdout=log, stderr=log, user=user, cwd=folder)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"postgresql://test@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()
