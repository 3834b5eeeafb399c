"""A client of `xattn serve` in the standard library alone: each call gives the document of the answer, as a dict.

    client = Client("http://127.0.0.1:8600", key="xa_…")
    client.send([{"id": "e1", "user": "ann", "item": "260", "value": 5.0}])
    client.why(served["list_id"], served["items"][0]["item"])

A call that was told to wait, or whose connection broke, is made again. Events bear ids, so none of them counts twice.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from xattn.errors import InputError, StoreError, UnknownIdError, XattnError, refuse

__all__ = ["Client"]

TRIES = 5
PAUSE = 0.2  # seconds before the second try; twice as long before each further one


class Client:
    """Calls the server at `address`; see the module's text. `timeout` is in seconds, for one try."""

    def __init__(self, address: str, *, key: str | None = None, timeout: float = 30.0) -> None:
        self.address = address.rstrip("/")
        self.key = key
        self.timeout = timeout
        if not self.address.startswith(("http://", "https://")):
            refuse("server_address", got=address)

    def send(self, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Send events: how many are accepted, how many had been there, and which were refused and why."""
        return self._call("POST", "/events", {"events": list(events)})

    def recommend(self, user: str, k: int | None = None, at: str | None = None) -> dict[str, Any]:
        """The list of a person, asked now or `at` a moment (ISO 8601)."""
        given = {name: value for name, value in (("k", k), ("at", at)) if value is not None}
        return self._call("GET", f"/recommend/{_part(user)}{'?' + urlencode(given) if given else ''}")

    def why(self, list_id: str, item: str) -> dict[str, Any]:
        """Why an item had its score in a list."""
        return self._call("GET", f"/lists/{_part(list_id)}/why/{_part(item)}")

    def held(self, user: str) -> dict[str, Any]:
        """All that is held of a person."""
        return self._call("GET", f"/users/{_part(user)}")

    def forget(self, user: str, timeout: float = 600.0) -> dict[str, Any]:
        """Forget a person; the receipt."""
        return self._call("DELETE", f"/users/{_part(user)}", timeout=timeout)

    def ready(self) -> bool:
        """Whether the server answers."""
        return bool(self._call("GET", "/readyz")["ready"])

    def _call(self, method: str, path: str, body: Any = None, timeout: float | None = None) -> dict[str, Any]:
        """The document of the answer. Raises what the server refused with, as the library would."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        pause = PAUSE
        for further in range(TRIES, 0, -1):
            request = urllib.request.Request(self.address + path, data, headers, method=method)
            wait: float = pause
            problem: dict[str, Any] = {"code": "no_server", "fields": {"got": self.address}, "status": 503}
            try:
                with urllib.request.urlopen(request, timeout=timeout or self.timeout) as answer:
                    found: dict[str, Any] = json.load(answer)
                    return found
            except urllib.error.HTTPError as refused:
                problem = _problem(refused)
                if refused.code not in (429, 503) or further == 1:
                    break
                wait = float(refused.headers.get("Retry-After") or pause)
            except (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException):
                if further == 1:
                    break
            time.sleep(wait)
            pause *= 2
        kinds: dict[int, type[XattnError]] = {404: UnknownIdError, 429: StoreError, 503: StoreError}
        if problem.get("detail"):
            refuse("server", kind=kinds.get(int(problem["status"]), InputError), got=str(problem["detail"]))
        refuse("no_server", kind=StoreError, got=self.address)


def _part(text: str) -> str:
    return quote(str(text), safe="")


def _problem(refused: urllib.error.HTTPError) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.load(refused)
        return found
    except ValueError:
        return {"detail": str(refused.reason), "status": refused.code}
