"""Explanations that add up: ledgers, removal effects, counterfactuals, words."""

from xattn.explain.counterfactual import Counterfactual
from xattn.explain.ledger import Ledger
from xattn.explain.question import Question, Scorer

__all__ = ["Counterfactual", "Ledger", "Question", "Scorer"]
