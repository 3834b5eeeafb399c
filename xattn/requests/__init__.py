"""Requests and their answers as plain frozen values: what the command line, the pages and a server ask of a model."""

from xattn.requests.answers import Answer, CompareAnswer, ExplainAnswer, ListAnswer, RecommendAnswer, WhyNotAnswer
from xattn.requests.ask import (
    CompareRequest,
    Condition,
    Event,
    ExplainRequest,
    ListRequest,
    RecommendRequest,
    Request,
    WhyNotRequest,
)
from xattn.requests.documents import read

__all__ = [
    "Answer",
    "CompareAnswer",
    "CompareRequest",
    "Condition",
    "Event",
    "ExplainAnswer",
    "ExplainRequest",
    "ListAnswer",
    "ListRequest",
    "RecommendAnswer",
    "RecommendRequest",
    "Request",
    "WhyNotAnswer",
    "WhyNotRequest",
    "read",
]
