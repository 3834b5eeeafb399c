"""Scikit-learn-style recommenders; all keep one contract (`Recommender`)."""

from xattn.recommenders.base import Recommender
from xattn.recommenders.baselines import ItemKNN, Popularity
from xattn.recommenders.collaborative import CollaborativeAttention
from xattn.recommenders.content import ContentAttention
from xattn.recommenders.ease import EASE, RecencyEASE
from xattn.recommenders.hybrid import HybridAttention
from xattn.recommenders.neighbours import UserAttention
from xattn.recommenders.neural import NeuralAttention
from xattn.recommenders.persist import load_model
from xattn.recommenders.registry import register
from xattn.recommenders.sequence import SequenceAttention

__all__ = [
    "EASE",
    "CollaborativeAttention",
    "ContentAttention",
    "HybridAttention",
    "ItemKNN",
    "NeuralAttention",
    "Popularity",
    "RecencyEASE",
    "Recommender",
    "SequenceAttention",
    "UserAttention",
    "load_model",
    "register",
]
