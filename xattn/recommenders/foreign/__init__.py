"""Anybody's model as a recommender of ours: `wrap`, and the three kinds of recommenders that it makes.

WrappedItems      an item–item matrix: the terms of its sum
WrappedFactors    a factorisation by alternating least squares, folded in: the terms after Hu, Koren and Volinsky
WrappedScores     any function of a history: what each event changed when it arrived, or on average over orders
"""

from xattn.recommenders.foreign.factors import ItemFactors, WrappedFactors
from xattn.recommenders.foreign.items import WrappedItems
from xattn.recommenders.foreign.scored import WrappedScores
from xattn.recommenders.foreign.wrap import wrap

__all__ = ["ItemFactors", "WrappedFactors", "WrappedItems", "WrappedScores", "wrap"]
