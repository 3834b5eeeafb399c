"""Are the reasons the reasons? Explainers put to the same test: mask what they name and see what the model serves."""

from xattn.evaluate.faithfulness.causes import planted_recall
from xattn.evaluate.faithfulness.explainers import EXPLAINERS
from xattn.evaluate.faithfulness.posthoc import PostHoc
from xattn.evaluate.faithfulness.protocol import faithfulness

__all__ = ["EXPLAINERS", "PostHoc", "faithfulness", "planted_recall"]
