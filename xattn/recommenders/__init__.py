"""Scikit-learn-style recommenders; all keep one contract (`Recommender`)."""

from xattn.recommenders.attention import CollaborativeAttention, ContentAttention, HybridAttention
from xattn.recommenders.base import Recommender
from xattn.recommenders.baselines import ItemKNN, Popularity
from xattn.recommenders.ease import EASE, RecencyEASE
from xattn.recommenders.neighbours import UserAttention
from xattn.recommenders.persist import load_model

__all__ = [
    "EASE",
    "CollaborativeAttention",
    "ContentAttention",
    "HybridAttention",
    "ItemKNN",
    "Popularity",
    "RecencyEASE",
    "Recommender",
    "UserAttention",
    "load_model",
]
