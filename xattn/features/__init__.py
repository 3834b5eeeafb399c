"""Step 1 of the article: behaviour and items as named features."""

from xattn.features.blocks import FeatureBlocks, item_features

__all__ = ["FeatureBlocks", "item_features"]
