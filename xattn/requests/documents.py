"""Any request or answer from its document, by the schema that it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xattn.errors import check_choice, refuse
from xattn.requests.answers import CompareAnswer, ExplainAnswer, ListAnswer, RecommendAnswer, WhyNotAnswer
from xattn.requests.ask import CompareRequest, ExplainRequest, ListRequest, RecommendRequest, WhyNotRequest
from xattn.requests.plain import Plain, document

__all__ = ["KINDS", "read"]

KINDS: dict[str, type[Plain]] = {
    kind.SCHEMA: kind
    for kind in (
        *(RecommendRequest, ExplainRequest, CompareRequest, WhyNotRequest, ListRequest),
        *(RecommendAnswer, ExplainAnswer, CompareAnswer, WhyNotAnswer, ListAnswer),
    )
}


def read(text: str | bytes) -> Plain:
    """The request or answer that a JSON text holds. Raises InputError for every other text.

    >>> read('{"schema": "xattn.recommend", "version": 1, "user": "42", "k": 5}').k
    5
    """
    found: Any = document(text)
    if not isinstance(found, Mapping):
        refuse("no_object", name="document", got=found)
    return KINDS[check_choice("schema", found.get("schema"), tuple(KINDS))].from_dict(found)
