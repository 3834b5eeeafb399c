"""Texts as features: words with their places, keywords, word vectors; every feature is a sum over words."""
