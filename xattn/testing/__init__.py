"""Contracts as tests: subclass one, say how your model or your block is made, and pytest checks every promise.

It needs pytest. docs/extending.md shows a model and a block that pass.
"""

import pytest

pytest.register_assert_rewrite("xattn.testing.recommender", "xattn.testing.block")

from xattn.testing.block import BlockContract  # noqa: E402  after the line above
from xattn.testing.data import SHAPES, data_of  # noqa: E402
from xattn.testing.recommender import RecommenderContract  # noqa: E402

__all__ = ["SHAPES", "BlockContract", "RecommenderContract", "data_of"]
