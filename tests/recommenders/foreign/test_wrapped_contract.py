"""Wrapped models keep the contract of all recommenders: a matrix, factors, a function."""

from __future__ import annotations

from sklearn.base import clone

from tests.recommenders.foreign.models import data, factors, fading, neighbours
from xattn import wrap
from xattn.recommenders import Recommender
from xattn.testing import RecommenderContract


class TestAMatrix(RecommenderContract):
    def make(self) -> Recommender:
        return clone(wrap(None, data(), train=neighbours, weights="rating"))  # type: ignore[no-any-return]


class TestFactors(RecommenderContract):
    tolerance = 1e-9  # what is announced and what is served are two solutions of linear systems

    def make(self) -> Recommender:
        return clone(wrap(None, data(), train=factors))  # type: ignore[no-any-return]


class TestAFunction(RecommenderContract):
    def make(self) -> Recommender:
        return clone(wrap(None, data(), train=fading))  # type: ignore[no-any-return]
