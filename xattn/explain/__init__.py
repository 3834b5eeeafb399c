"""Explanations that add up: ledgers, removal effects, counterfactuals, comparisons, words, files to take away."""

from xattn.explain.compare.difference import Difference, compare
from xattn.explain.compare.edit import Edit, minimal_edit
from xattn.explain.compare.lists import ListChanges, ListLedger, explain_list, list_changes
from xattn.explain.compare.why_not import Added, WhyNot
from xattn.explain.counterfactual import Counterfactual
from xattn.explain.ledger import Ledger
from xattn.explain.question import Approximation, Question, Scorer
from xattn.explain.removal import SetRemoval
from xattn.explain.tell.export import explanation_schema
from xattn.explain.tell.snippet import Origin
from xattn.explain.tell.words import DEPTHS, SCENARIOS

__all__ = [
    "DEPTHS",
    "SCENARIOS",
    "Added",
    "Approximation",
    "Counterfactual",
    "Difference",
    "Edit",
    "Ledger",
    "ListChanges",
    "ListLedger",
    "Origin",
    "Question",
    "Scorer",
    "SetRemoval",
    "WhyNot",
    "compare",
    "explain_list",
    "explanation_schema",
    "list_changes",
    "minimal_edit",
]
