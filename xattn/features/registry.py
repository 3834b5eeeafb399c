"""Blocks by name: ours, and those that installed packages bring.

A new block of ours is a file and a line in `OWN`. A package of others brings blocks as entry points, in its
pyproject.toml:

    [project.entry-points."xattn.blocks"]
    colours = "my_package.pictures:Colours"

A block is made without arguments; one with other settings is handed to `make_features` itself.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from xattn.errors import Quoted, check_choice, refuse
from xattn.features.block import Block

__all__ = ["GROUP", "OWN", "block_names", "block_of_name"]

GROUP = "xattn.blocks"
OWN = {  # name: the class
    "categories": "xattn.features.categories:Categories",
    "flags": "xattn.features.flags:Flags",
    "frames": "xattn.features.media.videos:Frames",
    "numbers": "xattn.features.numbers:Numbers",
    "pictures": "xattn.features.media.pictures:Pictures",
    "sounds": "xattn.features.media.sounds:Sounds",
    "soundtrack": "xattn.features.media.videos:Soundtrack",
    "text": "xattn.features.text.text:Text",
    "vectors": "xattn.features.text.vectors:Vectors",
    "words": "xattn.features.words:Words",
}


def block_names() -> list[str]:
    """The names of all blocks, ours first."""
    return list(_entries())


def block_of_name(name: str) -> Block:
    """A block of this name. Raises InputError for a name that is not registered, or whose package cannot be loaded.

    >>> type(block_of_name("numbers")).__name__
    'Numbers'
    """
    entries = _entries()
    entry = entries[check_choice("block", name, list(entries))]
    try:
        made = entry.load()()
    except Exception as problem:
        refuse("block_unloaded", because=problem, block=name, place=entry.value, got=Quoted(problem))
    if not hasattr(made, "fit"):
        refuse("block_without_fit", block=name, got=made)
    return made  # type: ignore[no-any-return]


def _entries() -> dict[str, EntryPoint]:
    """All blocks; a name of ours stays ours."""
    own = {name: EntryPoint(name, home, GROUP) for name, home in OWN.items()}
    return {**own, **{entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in own}}
