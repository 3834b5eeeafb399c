"""Accuracy and what lies beyond it: protocols, metrics, intervals."""

from xattn.evaluate.protocols import PROTOCOLS, evaluate

__all__ = ["PROTOCOLS", "evaluate"]
