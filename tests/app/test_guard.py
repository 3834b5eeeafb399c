"""The server answers to its own names and pages only, and nothing is sent anywhere: README's sentence, tried out."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xattn.app import server
from xattn.app.guard import Guard, hosts_of, policy
from xattn.app.rooted import PATHS, SCRIPT, Rooted
from xattn.app.shell import PAGES

ROOT = Path(__file__).parents[2]
PROMISE = "xattn sends nothing anywhere"


async def _inner(scope: Any, receive: Any, send: Any) -> None:
    """Says which headers came through."""
    assert not [name for name, _ in scope["headers"] if name == b"origin"]
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"ALLOWALL")]})
    await send({"type": "http.response.body", "body": b"in"})


def asked(guard: Guard | Rooted, kind: str = "http", path: str = "/", **headers: str) -> list[dict[str, Any]]:
    """The messages that an ASGI request is answered with."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": path, "headers": given, "method": "GET"}
    asyncio.run(guard(scope, None, send))  # type: ignore[arg-type]
    return sent


def status(guard: Guard, **request: str) -> int:
    found: int = asked(guard, **request)[0]["status"]
    return found


PAGE = b"<html><head><title>x</title></head></html>"


def page_of(status: int = 200, kind: str = "text/html; charset=utf-8", accept: str = "text/html") -> tuple[bytes, str]:
    """The body and the length that a browser is given of a page that comes in two parts."""

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        names = {name for name, _ in scope["headers"]}
        assert ("text/html" in accept) == (b"accept-encoding" not in names), "a page comes plain"
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(PAGE)).encode()), (b"etag", b"x")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": PAGE[:20], "more_body": True})
        await send({"type": "http.response.body", "body": PAGE[20:]})

    start, *parts = asked(Rooted(inner), path="/lab", accept=accept, **{"accept-encoding": "gzip"})
    headers = dict(start["headers"])
    assert (b"etag" in headers) == (headers[b"content-length"] == str(len(PAGE)).encode())
    return b"".join(part["body"] for part in parts), headers[b"content-length"].decode()


def test_a_page_says_where_its_server_is() -> None:
    body, length = page_of()
    assert body == PAGE.replace(b"</title>", f"</title><script>{SCRIPT}</script>".encode())
    assert int(length) == len(body)
    for other in ({"status": 404}, {"kind": "text/plain"}, {"accept": "*/*"}):
        assert page_of(**other) == (PAGE, str(len(PAGE)))  # type: ignore[arg-type]
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy(), "browsers run it"
    assert {page.path for page in PAGES} <= set(PATHS)


HOSTS = {  # at which address, with what allowed: which hosts are answered, and which not
    ("localhost", ""): (
        ["localhost", "localhost:8501", "LOCALHOST.", "127.0.0.1:8501", "[::1]:8501", "192.0.2.7"],
        [
            "evil.example",
            "localhost.evil.example",
            "evil.example:8501",
            "",
            "a b",
            "localhost@evil.example",
            "[::1",
            "x:y",
        ],
    ),
    ("films.example.org", "*.example.net"): (
        ["films.example.org:1", "a.example.net", "localhost"],
        ["example.net", "example.org", "xexample.net"],
    ),
    ("0.0.0.0", "*"): (["anything.example"], ["", "a/b", "x:99999"]),
}


@pytest.mark.parametrize("setting", HOSTS)
def test_only_names_of_the_server_are_answered(setting: tuple[str, str]) -> None:
    """What DNS rebinding needs is a name; an address in digits misleads nobody."""
    guard = Guard(_inner, hosts_of(setting[0], setting[1].split(",")))
    good, bad = HOSTS[setting]
    assert [status(guard, host=host) for host in good] == [200] * len(good)
    assert [status(guard, host=host) for host in bad] == [421] * len(bad)
    assert asked(guard, "websocket", host=bad[0]) == [{"type": "websocket.close", "code": 1008}]


def test_a_server_on_all_addresses_has_the_name_of_its_machine() -> None:
    guard = Guard(_inner, hosts_of("0.0.0.0"))
    assert status(guard, host=socket.gethostname().lower()) == 200
    assert status(guard, host="elsewhere.example") == 421


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_pages_of_the_server_may_ask(kind: str) -> None:
    guard = Guard(_inner, hosts_of("localhost", ["films.example.org"]))
    good = {"localhost:8501": ["http://localhost:8501", "https://films.example.org"]}
    bad = ["http://evil.example", "http://localhost:9999", "null", "http://[", "http://localhost:8501.evil.example", ""]
    for host, origins in good.items():
        for origin in origins:
            assert asked(guard, kind, host=host, origin=origin)[0]["type"] != "websocket.close"
        for origin in bad:
            first = asked(guard, kind, host=host, origin=origin)[0]
            assert first["type"] == "websocket.close" if kind == "websocket" else first["status"] == 403


def test_counters_are_closed_unless_they_are_opened() -> None:
    closed, opened = Guard(_inner, hosts_of("localhost")), Guard(_inner, hosts_of("localhost"), metrics=True)
    for path in ("/_stcore/metrics", "/_stcore/metrics/", "/base/_stcore/metrics"):
        assert status(closed, host="localhost", path=path) == 404
        assert status(opened, host="localhost", path=path) == 200
    assert status(closed, host="localhost", path="/_stcore/health") == 200


def test_every_answer_has_the_headers() -> None:
    guard = Guard(_inner, hosts_of("localhost"))
    for request in ({"host": "localhost"}, {"host": "evil.example"}, {"host": "localhost", "origin": "null"}):
        headers = {name.decode().lower(): value.decode() for name, value in asked(guard, **request)[0]["headers"]}
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == policy()


def test_the_policy_names_no_other_place() -> None:
    """But for frames of notebooks on this machine."""
    rules = dict(rule.split(" ", 1) for rule in policy().split("; "))
    places = set(re.findall(r"https?://\S+", policy()))
    assert places == {"http://localhost:*", "http://127.0.0.1:*"}
    assert rules["default-src"] == rules["connect-src"] == "'self'"
    assert "'unsafe-inline'" not in rules["script-src"]
    assert "*" not in rules["script-src"] + rules["connect-src"] + rules["img-src"]


def test_what_the_environment_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XATTN_ALLOWED_HOSTS", "a.example, b.example ,")
    monkeypatch.setenv("XATTN_METRICS", "on")
    given = server.guard("localhost").kwargs
    assert given["hosts"][-2:] == ("a.example", "b.example")
    assert given["metrics"] is True
    monkeypatch.delenv("XATTN_METRICS")
    assert server.guard("localhost").kwargs["metrics"] is False


# --- a server that is watched ---------------------------------------------------------------------------------------

WATCHED = """
import sys
LOOPBACK = ("localhost", "127.0.0.1", "::1", None, "")
out = open(sys.argv[2], "w", buffering=1)

def watch(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        where = args[1] if len(args) > 1 else None
        if isinstance(where, tuple) and where[0] not in LOOPBACK:
            print(event, where, file=out)
            raise OSError("nothing is sent from here")
    if event in ("socket.getaddrinfo", "socket.gethostbyname") and args[0] not in LOOPBACK:
        print(event, args[:2], file=out)
        raise OSError("nobody is asked from here")

sys.addaudithook(watch)
from xattn.app import guard, serve
from xattn.data.synthetic import planted
from xattn.recommenders import Popularity
if sys.argv[3] == "open":
    class Open:
        def __init__(self, app, hosts, metrics):
            self.app = app
        async def __call__(self, *request):
            await self.app(*request)
    import xattn.app.server
    xattn.app.server.Guard = Open
serve(int(sys.argv[1]), model=Popularity().fit(planted("genre", seed=0).data))
"""


def answer(port: int, path: str = "/_stcore/stream", **headers: str) -> str:
    """The status line of a request, a websocket's unless the path is another."""
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    fields = {"Host": f"localhost:{port}", **(upgrade if path == "/_stcore/stream" else {}), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    with socket.create_connection(("localhost", port), timeout=20) as to:
        to.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        return to.recv(4096).decode(errors="replace").partition("\r\n")[0].split(" ")[1]


class Served:
    """A server in a process of its own, in which every attempt to reach another machine is written down and fails."""

    def __init__(self, folder: Path, how: str) -> None:
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            self.port = probe.getsockname()[1]
        self.tried = folder / "tried"
        command = [sys.executable, "-c", WATCHED, str(self.port), str(self.tried), how]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def wait(self) -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://localhost:{self.port}/readyz", timeout=2) as said:
                    if said.status == 200:
                        return
            except OSError:
                time.sleep(0.2)
        self.process.kill()
        pytest.fail(self.process.communicate()[0])

    def end(self) -> tuple[int, str]:
        """Exit status after SIGTERM, and what was printed."""
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=20)
        return self.process.returncode, said


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    one = Served(tmp_path, request.param)
    try:
        one.wait()
        yield one
    finally:
        one.process.kill()
        one.process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("served", ["guarded"], indirect=True)
def test_nothing_is_sent_anywhere_and_it_ends_when_told(served: Served) -> None:
    assert PROMISE in (ROOT / "README.md").read_text("utf-8")
    own, foreign = f"http://localhost:{served.port}", "http://evil.example"
    assert answer(served.port) == "101"
    assert answer(served.port, Origin=own) == "101"
    assert answer(served.port, Origin=foreign) == "403"
    assert answer(served.port, Origin="http://evil.example", Host="evil.example") != "101"
    assert answer(served.port, "/", Host="evil.example") == "421"
    assert answer(served.port, "/", Origin=foreign) == "403"
    assert answer(served.port, "/_stcore/metrics") == "404"
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/learn"):
        assert answer(served.port, path) == "200"
    code, said = served.end()
    assert code == 0
    assert said.rstrip().endswith("Stopped.")
    assert "Traceback" not in said
    assert served.tried.read_text("utf-8") == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("served", ["open"], indirect=True)
def test_without_the_guard_the_watcher_sees_what_is_tried(served: Served) -> None:
    """Streamlit alone looks for the address of this machine when another page asks; and ends when told, too."""
    assert answer(served.port, Origin="http://evil.example") == "403"
    assert "socket." in served.tried.read_text("utf-8")
