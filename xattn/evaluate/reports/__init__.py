"""Reports for developers of recommenders: what a model looks at, how well it serves which groups, how steady it is.

Each is a function of a fitted recommender that returns plain dicts: a head (kind, dataset, model, seed), figures with
their intervals, and a `summary` of sentences of the catalogue, which `said` puts into words.
"""

from xattn.evaluate.reports.attended import attended
from xattn.evaluate.reports.attention_tests import attention_tests
from xattn.evaluate.reports.common import said
from xattn.evaluate.reports.groups import groups
from xattn.evaluate.reports.popularity import popularity
from xattn.evaluate.reports.stability import stability
from xattn.evaluate.reports.threshold import threshold

__all__ = ["KINDS", "attended", "attention_tests", "groups", "popularity", "said", "stability", "threshold"]

KINDS = ("attention", "popularity", "groups", "threshold", "attention-tests", "stability")
