"""The OpenAPI document: written from the table of routes, and from the types of the values that go in and out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import NoneType
from typing import Any, get_args, get_origin

from xattn.live.changes import Change
from xattn.live.given import Event
from xattn.live.said import Said
from xattn.live.satisfaction import Answer
from xattn.live.serving import ServedList
from xattn.live.switches import Switches
from xattn.requests import RecommendRequest
from xattn.requests.answers import Listed
from xattn.requests.plain import Id, parts

__all__ = ["describe", "schema_of"]

ANY: dict[str, Any] = {}
TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
NAME = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"}


def schema_of(hint: Any) -> dict[str, Any]:
    """The JSON Schema of what `xattn.requests.plain` accepts for a type.

    >>> schema_of(tuple[int, ...])
    {'type': 'array', 'items': {'type': 'integer'}}
    """
    if hint == Id:
        return {"anyOf": [NAME, {"type": "integer"}]}
    if hint in (str, int, float, bool):
        return {"type": {str: "string", int: "integer", float: "number", bool: "boolean"}[hint]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": schema_of(get_args(hint)[0])}
    options = get_args(hint)
    if options:
        return {"anyOf": [{"type": "null"} if one is NoneType else schema_of(one) for one in options]}
    try:
        found = parts(hint)
    except TypeError:
        return {}
    return {
        "type": "object",
        "properties": {name: schema_of(own) for name, own, _ in found},
        "required": [name for name, _, needed in found if needed],
        "additionalProperties": False,
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _open(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _array(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of}


def schemas() -> dict[str, Any]:
    """Every shape by its name."""
    refused = _open(index=COUNT, code=TEXT, detail=TEXT, fields={"type": "object"})
    removed = _object(**dict.fromkeys(("events", "lists", "feedback", "answers", "settings"), COUNT))
    return {
        "Problem": _open(status=COUNT, code=TEXT, detail=TEXT, fields={"type": "object"}, request_id=TEXT),
        "Events": _object(events={**_array(schema_of(Event)), "maxItems": 10_000}),
        "Arrival": _object(accepted=COUNT, repeated=COUNT, refused=_array(refused)),
        "List": schema_of(ServedList),
        "Recommend": _without(schema_of(RecommendRequest), "user", needed=("history",)),
        "FreeList": _open(model=TEXT, items=_array(schema_of(Listed))),
        "Explanation": _open(
            schema=TEXT, list_id=TEXT, user=TEXT, item=TEXT, score={"type": "number"}, base={"type": "number"}
        ),
        "Preview": {
            "type": "object",
            "properties": {
                "user": NAME,
                "said": _array({"type": "object"}),
                "add": _array({"type": "object"}),
                "settings": _without(schema_of(Switches)),
                "k": {"type": "integer", "minimum": 1},
            },
            "required": ["user"],
            "additionalProperties": False,
        },
        "Change": schema_of(Change),
        "Said": schema_of(Said),
        "Did": _with(schema_of(Change), accepted={"type": "boolean"}),
        "Settings": schema_of(Switches),
        "Switched": _with(schema_of(Change), settings=schema_of(Switches)),
        "Form": _open(form=TEXT, questions=_array({"type": "object"}), answers=_array({"type": "object"})),
        "Answers": _with(_without(schema_of(Answer), "answers"), answers={"type": "object"}),
        "Answered": _object(accepted={"type": "boolean"}, truth={"anyOf": [TEXT, {"type": "null"}]}),
        "Satisfaction": _open(
            lists=COUNT, people=COUNT, answered=COUNT, rates={"type": "object"}, agreement={"type": "object"}
        ),
        "Held": {"type": "object"},
        "Receipt": _object(removed=removed, model=TEXT),
        "Models": _open(serving=TEXT, kept=_array(TEXT), most=COUNT),
        "Ready": _open(ready={"type": "boolean"}, model=TEXT),
    }


def _without(schema: dict[str, Any], *names: str, needed: Iterable[str] = ()) -> dict[str, Any]:
    properties = {name: own for name, own in schema["properties"].items() if name not in names}
    required = [name for name in schema["required"] if name in properties]
    return {**schema, "properties": properties, "required": [*required, *needed]}


def _with(schema: dict[str, Any], **properties: Any) -> dict[str, Any]:
    required = [*schema["required"], *properties]
    return {**schema, "properties": {**schema["properties"], **properties}, "required": required}


def describe(routes: Iterable[Any]) -> Mapping[str, Any]:
    """The OpenAPI document of the `routes`."""
    paths: dict[str, Any] = {}
    for route in routes:
        path = re.sub(r"\{(\w+):path\}", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "xattn", "version": "1", "description": "Lists with ledgers, events, and exact forgetting."},
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Any) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)(?::path)?\}", route.path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": NAME} for name in names]
    for name, kind in route.query:
        parameters.append({"name": name, "in": "query", "required": False, "schema": {"type": kind}})
    problem = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    gives = {"text": "text/plain"}.get(route.gives, "application/json")
    shape = {"text": TEXT, "object": {"type": "object"}}.get(
        route.gives, {"$ref": f"#/components/schemas/{route.gives}"}
    )
    statuses = ["400", "404", "408", "413", "415", "429", "503", *(["401", "403"] if route.scope else [])]
    return {
        "summary": route.does,
        "operationId": f"{route.method.lower()}_{re.sub(r'[^a-z]+', '_', route.path).strip('_')}",
        "parameters": parameters,
        **({"requestBody": _body(route.takes)} if route.takes else {}),
        "responses": {
            "200": {"description": "Done.", "content": {gives: {"schema": shape}}},
            **{status: {"description": "See the code.", **problem} for status in sorted(statuses)},
        },
        **({"security": [{"key": [route.scope]}]} if route.scope else {}),
    }


def _body(name: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
