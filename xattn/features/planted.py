"""Planted data whose cause is a part of an item, with the block that can see that part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xattn.data.synthetic_parts import PlantedPart
from xattn.features.block import Block
from xattn.features.make import make_features
from xattn.features.media.pictures import Pictures
from xattn.features.media.sounds import Sounds
from xattn.features.media.videos import Frames

__all__ = ["LOOK", "with_look"]

LOOK = "look"  # the block, and the column that it is made of
BLOCKS: dict[str, Callable[[], Block]] = {"patch": Pictures, "tone": Sounds, "clip": Frames}


def with_look(truth: PlantedPart) -> PlantedPart:
    """The same data, whose items have the block "look" of their texts, pictures, sounds or videos.

    Raises InputError where the block's extra is not installed.

    >>> from xattn.data.synthetic_parts import planted_part
    >>> items = with_look(planted_part("word", n_users=4)).data.items
    >>> "look: heist" in items.features.names
    True
    """
    items = truth.data.items
    shown = replace(items, frame=items.frame.assign(**{LOOK: truth.cells}))
    block: str | Block = BLOCKS[truth.kind]() if truth.kind in BLOCKS else "text"
    made = items.with_features(make_features(shown, {LOOK: block}))
    return replace(truth, data=replace(truth.data, items=made))
