"""HTTP: the documents of docs/api.md are the real ones; keys, limits and errors; nothing of people in logs."""

from __future__ import annotations

import json
import logging
import re
import shlex
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi import checks as conformance

from tests.cli.test_cli_docs import blocks, matches
from tests.live.stage import served, sqlite, template
from xattn.data import planted
from xattn.errors import InputError, StoreError, UnknownIdError
from xattn.live import Live, Plan, open_store
from xattn.live.client import Client
from xattn.live.keys import SCOPES, Keys, add_key, drop_key
from xattn.serve import Limits, make_app
from xattn.serve.limits import Rates
from xattn.serve.problems import Problem
from xattn.serve.routes import ROUTES
from xattn.serve.server import check_free, is_loopback

DOCS = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    base = planted("genre", seed=0).data
    with (
        open_store(sqlite(tmp_path_factory.mktemp("http"))) as store,
        Live(store, base, model=template(), plan=Plan(solve_after=0)) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def address(live: Live) -> Iterator[str]:
    with served(make_app(live, keys=False)) as found:
        yield found


def call(
    address: str, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    given = {"content-type": "application/json", **{name.replace("_", "-"): own for name, own in headers.items()}}
    request = urllib.request.Request(address + path, body, given, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            raw, status, found = answer.read(), answer.status, dict(answer.headers)
    except urllib.error.HTTPError as problem:
        raw, status, found = problem.read(), problem.code, dict(problem.headers)
    kind = found.get("content-type", "")
    return status, json.loads(raw) if "json" in kind else raw.decode(), found


# --- docs/api.md ------------------------------------------------------------------------------------------------------


def asked(line: str) -> tuple[str, str, bytes | None]:
    """Method, path and body of a curl line."""
    words = shlex.split(line)[1:]
    method, body, url = "GET", None, ""
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-d":
            body = words.pop(0).encode()
        else:
            url = word
    return method, url.removeprefix("http://127.0.0.1:8600"), body


def test_the_tour_gives_the_documents_that_are_shown(address: str) -> None:
    lines, shown = blocks(DOCS, "bash"), blocks(DOCS, "json")
    assert len(lines) == len(shown) > 4
    for line, document in zip(lines, shown, strict=True):
        want = json.loads(document)
        status, found, _ = call(address, *asked(line))
        assert status == want.get("status", 200)
        assert matches(want, found), (want, found)
        assert matches(found, want)


def test_the_python_of_the_page_runs() -> None:
    (code,) = blocks(DOCS, "python")
    exec(compile(code, "api.md", "exec"), {})


def test_the_page_names_every_route() -> None:
    for route in ROUTES:
        path = re.sub(r"\{(\w+):path\}", r"{\1}", route.path)
        names = path.replace("{user}", "{id}")
        assert names.split("{")[0].rstrip("/") in DOCS, path


# --- the routes -------------------------------------------------------------------------------------------------------


def test_a_client_in_python(live: Live, address: str) -> None:
    client = Client(address)
    assert client.ready()
    user = "a/b c?d#e%猫"
    first = client.send([{"id": "c1", "user": user, "item": "i3", "value": 4.0}])
    assert first == {"accepted": 1, "repeated": 0, "refused": []}
    assert client.send([{"id": "c1", "user": user, "item": "i3"}])["repeated"] == 1
    found = client.recommend(user, k=3)
    assert [one["item"] for one in found["items"]] == [one.item for one in live.recommend(user, k=3).items]
    then = client.recommend(user, k=3, at="2001-09-09T03:46:40+02:00")
    row = live.store.listed(then["list_id"])
    assert row is not None
    assert row.asked == 1e9
    why = client.why(found["list_id"], found["items"][0]["item"])
    assert why["score"] == found["items"][0]["score"]
    assert (why["user"], why["list_id"]) == (user, found["list_id"])
    assert client.held(user)["events"][0]["id"] == "c1"
    assert client.forget(user)["removed"]["lists"] == 3
    with pytest.raises(UnknownIdError, match="is still kept"):
        client.why(found["list_id"], "i0")
    with pytest.raises(InputError, match="`k` must"):
        client.recommend(user, k=0)
    with pytest.raises(InputError, match="must begin with"):
        Client("ftp://x")


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xattn.live.client.PAUSE", 0.01)
    with pytest.raises(StoreError, match="nobody does"):
        Client("http://127.0.0.1:9").ready()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/events", b"{", 400, "no_json"),
        ("POST", "/events", b"[]", 400, "no_object"),
        ("POST", "/events", b"{}", 400, "no_key"),
        ("POST", "/events", b'{"events": 3}', 400, "long_list"),
        ("POST", "/events", b'{"events": [], "more": 1}', 400, "other_key"),
        ("POST", "/events", b'{"events": [{"id": NaN}]}', 400, "strict_json"),
        ("POST", "/events", b"\xff", 400, "no_json"),
        ("POST", "/recommend", b'{"user": "u"}', 400, "option_left_out"),
        ("POST", "/recommend", b'{"history": []}', 400, "empty_history"),
        ("GET", "/recommend/u?k=many", None, 400, "whole"),
        ("GET", "/recommend/u?at=soon", None, 400, "moment"),
        ("GET", "/recommend/%00", None, 400, "id_text"),
        ("GET", "/nothing", None, 404, "no_route"),
        ("PUT", "/events", b"{}", 405, "no_method"),
    ],
)
def test_faults_are_problem_documents(
    address: str, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    got, found, headers = call(address, method, path, body)
    assert (got, found["code"], found["status"]) == (status, code, status)
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-request-id"] == found["request_id"]
    chinese = call(address, method, path, body, accept_language="zh-CN")[1]["detail"]
    assert re.search("[\u4e00-\u9fff]", chinese)


def test_a_long_body_and_another_type_are_refused(live: Live) -> None:
    with served(make_app(live, keys=False, limits=Limits(body=100))) as address:
        assert call(address, "POST", "/events", b" " * 101)[1]["code"] == "long_body"
        assert call(address, "POST", "/events", b"{}", content_type="text/plain")[0] == 415


def test_calls_over_the_rate_are_told_to_wait(live: Live) -> None:
    with served(make_app(live, keys=False, limits=Limits(rate=0.5, burst=3))) as address:
        found = [call(address, "GET", "/readyz") for _ in range(5)]
        assert [status for status, _, _ in found] == [200, 200, 200, 429, 429]
        assert found[-1][2]["retry-after"] == "1"


def test_buckets_fill_again() -> None:
    now = [0.0]
    rates = Rates(Limits(rate=2.0, burst=2.0), clock=lambda: now[0])
    rates.check("a")
    rates.check("a")
    with pytest.raises(Problem):
        rates.check("a")
    rates.check("b")
    now[0] = 0.5
    rates.check("a")
    with pytest.raises(Problem):
        rates.check("a")


def test_no_route_answers_without_its_scope(live: Live) -> None:
    texts = {scope: add_key(live.store, scope, [scope]) for scope in SCOPES}
    with served(make_app(live)) as address:
        for route in ROUTES:
            path = re.sub(r"\{\w+(:path)?\}", "x", route.path)
            body = b"{}" if route.takes else None
            bare = call(address, route.method, path, body)
            if not route.scope:
                assert bare[0] == 200
                continue
            assert bare[0] == 401
            assert bare[2]["www-authenticate"] == "Bearer"
            forged = "xa_" + texts["admin"].split("_")[1] + "_" + "0" * 64
            assert call(address, route.method, path, body, authorization=f"Bearer {forged}")[0] == 401
            for scope, text in texts.items():
                status, found, _ = call(address, route.method, path, body, authorization=f"Bearer {text}")
                allowed = scope in (route.scope, "admin")
                assert (status != 403) == allowed, (route.path, scope, found)
    keys = Keys(live.store)
    drop_key(live.store, texts["read"].split("_")[1])
    keys.changed()
    assert keys.of(texts["read"]) is None
    assert [key.name for key in keys.all()] == ["write", "admin"]
    assert texts["admin"].split("_")[2].encode() not in Path(str(live.store.url.database)).read_bytes()
    with pytest.raises(InputError, match="one of the store's"):
        drop_key(live.store, "nobody")


def test_forbidden_tells_nothing_of_who_exists(live: Live) -> None:
    text = add_key(live.store, "reader", ["read"])
    live.add([{"id": "exists", "user": "exists", "item": "i1"}])
    with served(make_app(live)) as address:
        answers = [
            call(address, "GET", f"/users/{user}", authorization=f"Bearer {text}", x_request_id="same")[:2]
            for user in ("exists", "nobody")
        ]
        assert answers[0] == answers[1]
        lists = [call(address, "GET", f"/recommend/{user}", authorization=f"Bearer {text}") for user in ("q", "exists")]
        assert [status for status, _, _ in lists] == [200, 200]


def test_the_forbidden_touch_nothing_that_is_kept(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """So neither the answer nor the time that it takes can tell who or what exists."""
    text = add_key(live.store, "nothing", ["read"])
    with served(make_app(live)) as address:
        touched: list[str] = []
        for name in ("ask", "of", "held", "listed", "add", "add_events", "forget"):
            monkeypatch.setattr(live.store, name, lambda *_, own=name, **__: touched.append(own))
        answers = set()
        for route in ROUTES:
            if route.scope in ("write", "admin"):
                for own in ("exists", "nobody"):
                    path = re.sub(r"\{\w+(:path)?\}", own, route.path)
                    status, found, _ = call(
                        address, route.method, path, b"{}" if route.takes else None, authorization=f"Bearer {text}"
                    )
                    answers.add((status, found["code"], found["detail"]))
        assert len(answers) == 2, answers  # one for each scope that is missing
        assert {status for status, _, _ in answers} == {403}
        assert touched == []


def test_no_page_of_another_origin_may_call(address: str) -> None:
    status, _, headers = call(address, "OPTIONS", "/events", origin="http://evil", access_control_request_method="POST")
    assert status == 405
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_a_fault_of_ours_says_nothing_and_logs_no_id(
    live: Live, address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("secret-user")

    monkeypatch.setattr(live, "recommend", broken)
    with caplog.at_level(logging.DEBUG):
        status, found, _ = call(address, "GET", "/recommend/secret-user", x_request_id="abc")
    assert (status, found["code"], found["request_id"]) == (500, "fault", "abc")
    assert "secret" not in json.dumps(found) + caplog.text
    assert "abc" in caplog.text


def test_measurements(live: Live, address: str) -> None:
    call(address, "POST", "/events", json.dumps({"events": [{"id": "m", "user": "m", "item": "i1"}]}).encode())
    status, text, _ = call(address, "GET", "/metrics")
    assert status == 200
    for line in text.splitlines():
        assert re.fullmatch(r"# TYPE \w+ (counter|gauge|histogram)|\w+(\{(\w+=\"[^\"]*\",?)+\})? [-+0-9.e]+", line), (
            line
        )
    assert 'xattn_requests_total{method="POST",route="/events",status="200"}' in text
    assert "xattn_model_users" in text


def test_addresses_and_ports() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "203.0.113.7", "x")] == [
        *[True] * 3,
        *[False] * 3,
    ]
    with pytest.raises(InputError, match="port"):
        check_free("127.0.0.1", 70_000)


# --- whatever the description allows, and what it does not ------------------------------------------------------------


def test_nothing_that_can_be_sent_makes_the_server_fail(live: Live, address: str) -> None:
    """Schemathesis: no 5xx, and every answer is one that the OpenAPI document describes."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    wanted = [
        schemathesis.checks.not_a_server_error,
        conformance.status_code_conformance,
        conformance.content_type_conformance,
        conformance.response_schema_conformance,
    ]
    few = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    for found in schema.get_all_operations():

        @few
        @given(case=found.ok().as_strategy())
        def check(case: Any) -> None:
            case.call_and_validate(checks=wanted)

        check()
