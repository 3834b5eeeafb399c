"""Are the reasons true? All explainers take the same test: mask the events that they name, and see what is served."""

from xattn.evaluate.faithfulness.causes import planted_recall
from xattn.evaluate.faithfulness.explainers import EXPLAINERS
from xattn.evaluate.faithfulness.posthoc import PostHoc
from xattn.evaluate.faithfulness.protocol import faithfulness

__all__ = ["EXPLAINERS", "PostHoc", "faithfulness", "planted_recall"]
