"""Attention on any arrays, apart from recommendation: softmax, attention of one query and of many, nearest keys.

These functions are what users of the package call with arrays of their own. Each checks its arguments by
`errors.check_*` and then calls kernels, which trust theirs. Nothing here knows of items, users or models.
"""
