"""Attention of many queries to many keys: with sums in float64, or in float32 through products in tiles."""

from xattn.kernels.attention.exact import Attention, AttentionGradient, attention, attention_backward
from xattn.kernels.attention.narrow import attend_narrow

__all__ = ["Attention", "AttentionGradient", "attend_narrow", "attention", "attention_backward"]
