"""Errors as problem details (RFC 9457): `application/problem+json` with the code and the fields of the refusal.

The sentence is in the language that the caller asks for (Accept-Language: zh), else in English.
"""

from __future__ import annotations

import json
import logging
from traceback import extract_tb
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from xattn.errors import StoreError, UnknownIdError, XattnError
from xattn.i18n.sentence import Quoted

__all__ = ["Problem", "answer", "as_json", "language", "of_error", "problem"]

log = logging.getLogger(__name__)
STATUS = {  # of codes that say more than the class of their error
    "queue_full": 429,
    "rate": 429,
    "no_api_key": 401,
    "no_scope": 403,
    "long_body": 413,
    "slow_body": 408,
    "slow_answer": 503,
    "no_route": 404,
    "no_method": 405,
    "no_json_body": 415,
}
WAIT = 1  # seconds after which a caller who was sent away may come again


class Problem(XattnError):
    """What a caller did that HTTP has a status of its own for."""


def language(request: Request) -> str:
    """The language of the sentences: Chinese where the caller names it first."""
    return "zh" if request.headers.get("accept-language", "").strip().lower().startswith("zh") else "en"


def as_json(value: Any, status: int = 200, headers: dict[str, str] | None = None, kind: str = "json") -> Response:
    """A document as a response."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "replace"), status, headers, f"application/{kind}")


def problem(
    code: str, fields: dict[str, Any], detail: str, status: int, request_id: str, headers: dict[str, str] | None = None
) -> Response:
    """A problem document."""
    body = {"status": status, "code": code, "detail": detail, "fields": plain(fields), "request_id": request_id}
    return as_json(body, status, headers, "problem+json")


def of_error(error: XattnError, request: Request) -> Response:
    """A refusal of the library as a problem document."""
    status = STATUS.get(error.code)
    if status is None:
        status = 404 if isinstance(error, UnknownIdError) else 503 if isinstance(error, StoreError) else 400
    headers = {"Retry-After": str(WAIT)} if status in (429, 503) else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    request_id = str(getattr(request.state, "request_id", ""))
    return problem(error.code, error.fields, error.told(language(request)), status, request_id, headers)


async def answer(request: Request, error: Exception) -> Response:
    """The response to an exception: refusals as they are; a fault of ours as 500, and nothing of it to the caller."""
    if isinstance(error, XattnError):
        return of_error(error, request)
    request_id = str(getattr(request.state, "request_id", ""))
    at = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(extract_tb(error.__traceback__)[-8:]))
    log.error("request %s failed: %s at %s", request_id, type(error).__name__, at)  # its message may hold an id
    return problem("fault", {}, "The server failed; the request id says where to look.", 500, request_id)


def plain(value: Any) -> Any:
    """Fields of an error as JSON holds them: no infinities, no NaN, tuples as lists."""
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(entry) for entry in value]
    if isinstance(value, Quoted):
        return str(value)
    if isinstance(value, float) and not (abs(value) < float("inf")):
        return repr(value)
    return value
