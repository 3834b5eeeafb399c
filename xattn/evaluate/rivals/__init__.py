"""Rivals: models that a reader would take instead of ours, with the same questions. They score; they have no ledger.

`ALS` and `BPR` are implicit's, `SASRec` is written here on PyTorch; both packages come with ``xattn[rivals]`` and are
imported when such a model is fitted. `GenrePopularity` and `Random` need no package and stand beside our models for
items that nobody has met; `LastItems` learns nothing, and shows how much of a data set the last items give away.
"""

from xattn.evaluate.rivals.base import Rival
from xattn.evaluate.rivals.factors import ALS, BPR
from xattn.evaluate.rivals.plain import GenrePopularity, LastItems, Random
from xattn.evaluate.rivals.sasrec import SASRec

__all__ = ["ALS", "BPR", "RIVALS", "GenrePopularity", "LastItems", "Random", "Rival", "SASRec"]

RIVALS: dict[str, type[Rival]] = {
    kind.__name__: kind for kind in (ALS, BPR, SASRec, GenrePopularity, LastItems, Random)
}
