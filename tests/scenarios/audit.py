"""Sensitive columns shuffled: what a model that never reads them cannot notice."""

from __future__ import annotations

import numpy as np

from xattn.scenarios.convert import Frames

__all__ = ["shuffled"]


def shuffled(frames: Frames, columns: tuple[str, ...]) -> Frames:
    """The same tables, with other people's and other items' values in these columns."""
    rng = np.random.default_rng(0)
    events, items = frames.events.copy(), frames.items.copy()
    for frame in (events, items):
        for column in columns:
            if column in frame:
                frame[column] = frame[column].to_numpy()[rng.permutation(len(frame))]
    return Frames(events, items)
