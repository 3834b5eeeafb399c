"""Flags: a column of yes and no becomes one feature, which only the items with a yes have.

Two items are alike where both are horror films; that neither is one says nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from xattn.features.block import Fitted

__all__ = ["Flags"]

YES, NO = ("1", "1.0", "true", "yes", "y", "t"), ("0", "0.0", "false", "no", "n", "f", "")


class Flags:
    """One feature, "yes"; None for a column with other values, and where fewer than two items have a yes."""

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """
        >>> Flags().fit(pd.Series([1, 0, 1])).F.toarray().ravel()
        array([1., 0., 1.])
        """
        text = column.astype("string").fillna("").str.strip().str.casefold()
        yes = text.isin(YES).to_numpy(bool)
        if yes.sum() < 2 or not (yes | text.isin(NO).to_numpy(bool)).all():
            return None
        return Fitted(("yes",), sparse.csr_array(yes.astype(np.float64)[:, None]))
