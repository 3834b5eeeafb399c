"""Step 1 of the article: behaviour and items as named features."""

from xattn.features.blocks import FeatureBlocks, item_features
from xattn.features.newcomers import NewcomerFeatures, newcomer_features

__all__ = ["FeatureBlocks", "NewcomerFeatures", "item_features", "newcomer_features"]
