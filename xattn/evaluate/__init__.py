"""Accuracy and what lies beyond it: protocols, metrics, intervals; search for parameters, cross-validation, rivals."""

from xattn.evaluate.cross import cross_validate
from xattn.evaluate.protocols import PROTOCOLS, evaluate
from xattn.evaluate.reports import stability
from xattn.evaluate.search import search

__all__ = ["PROTOCOLS", "cross_validate", "evaluate", "search", "stability"]
