"""Step 1 of the article: what items are like, as named features."""

from xattn.features.block import Block, Fitted
from xattn.features.make import feature_set, make_features
from xattn.features.newcomers import newcomer_features

__all__ = ["Block", "Fitted", "feature_set", "make_features", "newcomer_features"]
