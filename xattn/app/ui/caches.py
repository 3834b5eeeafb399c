"""What is worked out once and kept: for all sessions, or for one alone where it shows data of its own.

What holds titles is kept once a language: items may be called by other titles in each.

Streamlit frees what a session kept for itself when the session ends. So nobody meets another visitor's data, not even
where two have files of equal content but models of other settings, and nothing of them stays behind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Any, TypeVar

from xattn.app.ui.language import lang
from xattn.app.ui.session import OWN, in_session
from xattn.requests import ExplainRequest, RecommendRequest

__all__ = ["forget_own", "kept"]

Function = TypeVar("Function", bound=Callable[..., Any])
REQUESTS = {RecommendRequest: repr, ExplainRequest: repr}  # what they say is all that they are; field by field is slow
_own: list[Any] = []  # the caches of single sessions


def kept(
    cache: Callable[..., Any],
    *,
    on_release: Callable[[Any], None] | None = None,
    speaks: bool = True,
    **options: Any,
) -> Callable[[Function], Function]:
    """A decorator: results are kept by `cache` (`st.cache_data` or `st.cache_resource`) with these options.

    `on_release` is called with what a session kept for itself, when it is freed. `speaks` is False for results that
    hold no title and no other text: these are kept once for all languages.
    """

    def decorate(function: Function) -> Function:
        @wraps(function)
        def spoken(language: str, *given: Any, **named: Any) -> Any:
            return function(*given, **named)

        own = signature(function)
        first = Parameter("language", Parameter.POSITIONAL_ONLY)
        parameters = [one.replace(kind=Parameter.POSITIONAL_OR_KEYWORD) for one in own.parameters.values()]
        spoken.__signature__ = own.replace(parameters=[first, *parameters])  # type: ignore[attr-defined]
        options["hash_funcs"] = {**REQUESTS, **options.get("hash_funcs", {})}
        for_all = cache(show_spinner=False, **options)(spoken)
        release = {} if on_release is None else {"on_release": on_release}
        for_one = cache(show_spinner=False, scope="session", **options, **release)(spoken)
        _own.append(for_one)

        @wraps(function)
        def found(*given: Any, **named: Any) -> Any:
            visited = in_session()
            keep = for_one if visited and OWN.is_set else for_all
            return keep(lang() if visited and speaks else "", *given, **named)

        return found  # type: ignore[return-value]

    return decorate


def forget_own() -> None:
    """Free what this session has kept for itself."""
    for one in _own:
        one.clear()
