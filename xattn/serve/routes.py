"""The routes: what each asks for, which scope it needs, and the function that answers.

A new route is a function and a line in `ROUTES`; the OpenAPI document, the checks of scopes and /metrics read the line.
Work that touches the store or a model runs in a thread, so that the loop stays free.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from xattn.errors import check_whole, refuse
from xattn.live.changes import Change
from xattn.live.keys import Keys
from xattn.live.live import Live
from xattn.live.satisfaction import form
from xattn.live.serving import ServedList
from xattn.requests import RecommendRequest
from xattn.requests.plain import document
from xattn.serve.limits import Limits, body_of
from xattn.serve.measures import Measures
from xattn.serve.problems import Problem, as_json, language, plain

__all__ = ["ROUTES", "Route", "Server"]


class Server(NamedTuple):
    """What the routes work with; `keys` is None where nobody needs one."""

    live: Live
    keys: Keys | None
    limits: Limits
    measures: Measures
    described: Mapping[str, Any]


class Route(NamedTuple):
    """A route: its method, its path, the scope that it needs ("" for none), what it does in one line, the function.

    `takes` and `gives` name schemas of the OpenAPI document; `query` are parameters with their type; a `slow` one may
    take longer than others.
    """

    method: str
    path: str
    scope: str
    does: str
    answer: Callable[[Server, Request], Awaitable[Response]]
    takes: str = ""
    gives: str = ""
    query: tuple[tuple[str, str], ...] = ()
    slow: bool = False


async def _document(server: Server, request: Request) -> dict[str, Any]:
    """The JSON object in the body. Raises InputError or Problem."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        refuse("no_json_body", kind=Problem, got=kind)
    found = document(await body_of(request, server.limits))
    if not isinstance(found, dict):
        refuse("no_object", name="document", got=found)
    return found


def _only(found: Mapping[str, Any], *known: str) -> None:
    """The document has no other keys. Raises InputError."""
    for name in found:
        if name not in known:
            refuse("other_key", name="document", known=known, got=name)


def _list(found: Mapping[str, Any], name: str) -> list[Any]:
    """A list in a document. Raises InputError."""
    if name not in found:
        refuse("no_key", name="document", key=name, got=", ".join(found))
    value = found[name]
    if not isinstance(value, list):
        refuse("long_list", name=name, most=10_000, found="value", got=value)
    return value


def _k(request: Request, live: Live) -> int | None:
    """The length of the list that the address asks for."""
    given = request.query_params.get("k")
    if given is None:
        return None
    most = live.serving.data.n_items
    return check_whole("k", int(given) if given.isascii() and given.isdigit() and len(given) < 10 else given, high=most)


# --- events and lists -------------------------------------------------------------------------------------------------


async def post_events(server: Server, request: Request) -> Response:
    """Take in events."""
    found = await _document(server, request)
    _only(found, "events")
    arrival = await run_in_threadpool(server.live.add, _list(found, "events"))
    lang = language(request)
    refused = [
        {
            "index": one.at,
            "code": one.problem.code,
            "detail": one.problem.told(lang),
            "fields": plain(one.problem.fields),
        }
        for one in arrival.refused
    ]
    server.measures.events(accepted=arrival.accepted, repeated=arrival.repeated, refused=len(refused))
    return as_json({"accepted": arrival.accepted, "repeated": arrival.repeated, "refused": refused})


async def get_recommend(server: Server, request: Request) -> Response:
    """The list of a person."""
    k = _k(request, server.live)
    at = request.query_params.get("at")

    def work() -> ServedList:
        return server.live.recommend(request.path_params["user"], k, at=at)

    return as_json((await run_in_threadpool(work)).to_dict())


async def post_recommend(server: Server, request: Request) -> Response:
    """The list of somebody whose history is in the body; nothing of it is kept."""
    found = await _document(server, request)
    if "user" in found:
        refuse("option_left_out", option="user", when="history_in_body", choice="", got=str(found["user"]))
    asked = RecommendRequest.from_dict(found)
    model = server.live.serving
    if asked.at is None and asked.dated and model.data.dated:
        asked = replace(asked, at=server.live.store.now())  # as a history that is kept
    listed = await run_in_threadpool(asked.answer, model.model)
    return as_json({"model": model.fingerprint, **listed.body()})


async def get_why(server: Server, request: Request) -> Response:
    """Why an item had its score in a list that was served."""
    list_id, item = request.path_params["list_id"], request.path_params["item"]
    said, user = await run_in_threadpool(server.live.why, list_id, item)
    return as_json({**said.to_dict(), "list_id": list_id, "user": user})


# --- what people say and switch ---------------------------------------------------------------------------------------


async def post_preview(server: Server, request: Request) -> Response:
    """What would change; nothing is kept."""
    found = await _document(server, request)
    _only(found, "user", "said", "add", "settings", "k")
    if "user" not in found:
        refuse("no_key", name="document", key="user", got=", ".join(found))
    said, add = (_list(found, name) if name in found else [] for name in ("said", "add"))
    switched = found.get("settings")
    if switched is not None and not isinstance(switched, dict):
        refuse("no_object", name="settings", got=switched)

    def work() -> Change:
        return server.live.preview(found["user"], said=said, add=add, settings=switched, k=found.get("k"))

    return as_json((await run_in_threadpool(work)).to_dict())


async def post_feedback(server: Server, request: Request) -> Response:
    """Take in what somebody says, and tell what it did."""
    found = await _document(server, request)
    new, did = await run_in_threadpool(server.live.say, found)
    return as_json({"accepted": new, **did.to_dict()})


async def put_settings(server: Server, request: Request) -> Response:
    """Switch a person's settings, and tell what that did."""
    found = await _document(server, request)
    now, did = await run_in_threadpool(server.live.switch, request.path_params["user"], found)
    return as_json({"settings": now.to_dict(), **did.to_dict()})


async def post_answers(server: Server, request: Request) -> Response:
    """Take in answers to a form."""
    found = await _document(server, request)
    new, truth = await run_in_threadpool(server.live.answer, found)
    return as_json({"accepted": new, "truth": truth})


async def get_questionnaire(server: Server, request: Request) -> Response:
    """The questionnaire, in the language that is asked for."""
    return as_json(form(language(request)))


async def get_satisfaction(server: Server, request: Request) -> Response:
    """How satisfied people are; no person stands in it."""
    return as_json(await run_in_threadpool(server.live.satisfaction))


# --- people -----------------------------------------------------------------------------------------------------------


async def get_user(server: Server, request: Request) -> Response:
    """All that is held of a person."""
    return as_json(await run_in_threadpool(server.live.held, request.path_params["user"]))


async def delete_user(server: Server, request: Request) -> Response:
    """Forget a person; the answer comes when nothing is left."""
    removed = await run_in_threadpool(server.live.forget, request.path_params["user"])
    return as_json({"removed": removed._asdict(), "model": "equal to a fit without"})


# --- the server itself ------------------------------------------------------------------------------------------------


async def get_ready(server: Server, request: Request) -> Response:
    """Whether the server answers: the store is open, and a model serves."""
    await run_in_threadpool(server.live.store.ready)
    return as_json({"ready": True, "model": server.live.serving.fingerprint})


async def get_metrics(server: Server, request: Request) -> Response:
    """Measurements for Prometheus."""
    return PlainTextResponse(await run_in_threadpool(server.measures.text, server.live))


async def get_openapi(server: Server, request: Request) -> Response:
    """This description."""
    return as_json(server.described)


async def get_models(server: Server, request: Request) -> Response:
    """The models that have served and are kept, newest first, and how many are kept at most."""
    live = server.live
    kept = await run_in_threadpool(live.keeper.models.kept)
    return as_json({"serving": live.serving.fingerprint, "kept": kept, "most": live.keeper.models.most})


ROUTES: tuple[Route, ...] = (
    Route("POST", "/events", "write", "Take in events, each once.", post_events, "Events", "Arrival"),
    Route(
        "GET",
        "/recommend/{user:path}",
        "read",
        "The list of a person; it is kept.",
        get_recommend,
        "",
        "List",
        (("k", "integer"), ("at", "string")),
    ),
    Route(
        "POST",
        "/recommend",
        "read",
        "The list for a history in the body; nothing is kept.",
        post_recommend,
        "Recommend",
        "FreeList",
    ),
    Route(
        "GET",
        "/lists/{list_id}/why/{item:path}",
        "read",
        "Why an item had its score in a list.",
        get_why,
        "",
        "Explanation",
    ),
    Route("POST", "/preview", "read", "What would change if…; nothing is kept.", post_preview, "Preview", "Change"),
    Route(
        "POST", "/feedback", "write", "Say something of an item, and learn what it did.", post_feedback, "Said", "Did"
    ),
    Route(
        "PUT",
        "/users/{user:path}/settings",
        "write",
        "Switch a person's settings.",
        put_settings,
        "Settings",
        "Switched",
    ),
    Route("GET", "/questionnaire", "read", "The questions on satisfaction.", get_questionnaire, "", "Form"),
    Route("POST", "/answers", "write", "Take in answers to a form.", post_answers, "Answers", "Answered"),
    Route("GET", "/satisfaction", "admin", "How satisfied people are.", get_satisfaction, "", "Satisfaction"),
    Route("GET", "/users/{user:path}", "admin", "All that is held of a person.", get_user, "", "Held"),
    Route("DELETE", "/users/{user:path}", "admin", "Forget a person exactly.", delete_user, "", "Receipt", (), True),
    Route("GET", "/models", "admin", "The models that are kept.", get_models, "", "Models"),
    Route("GET", "/metrics", "admin", "Measurements for Prometheus.", get_metrics, "", "text"),
    Route("GET", "/readyz", "", "Whether the server answers.", get_ready, "", "Ready"),
    Route("GET", "/openapi.json", "", "This description.", get_openapi, "", "object"),
)
