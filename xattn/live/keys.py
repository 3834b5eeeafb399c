"""Keys of callers: a random secret that is shown once, of which the store keeps a hash; and what each may do.

    xa_<id>_<secret>        sent as "Authorization: Bearer xa_…"

A secret has 256 random bits, so a plain hash of it tells nothing. Secrets are compared in constant time, with that of
nobody where the id is unknown.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import delete, select

from xattn.errors import check_choice, check_some, refuse
from xattn.live.given import check_short
from xattn.live.store import Store
from xattn.live.tables import api_keys

__all__ = ["SCOPES", "Key", "Keys", "add_key", "drop_key"]

SCOPES = ("write", "read", "admin")  # send events and feedback; read lists; all else too
NOBODY = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


class Key(NamedTuple):
    """A key as the store knows it: who has it, and its scopes."""

    id: str
    name: str
    scopes: tuple[str, ...]


def add_key(store: Store, name: str, scopes: Sequence[str]) -> str:
    """Make a key for `name` with some of the scopes "write", "read" and "admin"; the text is shown this once.

    >>> import tempfile
    >>> from xattn.live import open_store
    >>> with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/events.db") as store:
    ...     text = add_key(store, "shop", ["write", "read"])
    ...     key = Keys(store).of(text)
    >>> text[:3], key.name, key.scopes
    ('xa_', 'shop', ('write', 'read'))
    """
    check_some("scopes", scopes, "scope")
    chosen = tuple(dict.fromkeys(check_choice("scopes", scope, SCOPES) for scope in scopes))
    own, secret = secrets.token_hex(6), secrets.token_hex(32)
    row = {"id": own, "name": check_short("name", name), "hash": _hash(secret), "scopes": " ".join(chosen)}
    store.add(api_keys, {**row, "made": time.time()})
    return f"xa_{own}_{secret}"


def drop_key(store: Store, own: str) -> None:
    """Take a key back by its id, the part of it between the underscores. Raises InputError where there is none."""
    gone = store.writer.do(
        lambda batch: int(batch.connection.execute(delete(api_keys).where(api_keys.c.id == own)).rowcount)
    )
    if not gone:
        refuse("unknown_key", got=own)


class Keys:
    """The keys of a store, read anew when asked for one that is not known yet, and after `changed`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[str, tuple[str, Key]] = {}
        self.changed()

    def changed(self) -> None:
        """Read the keys again."""
        rows = self.store.ask(select(api_keys))
        self._known = {row.id: (row.hash, Key(row.id, row.name, tuple(row.scopes.split()))) for row in rows}

    def all(self) -> list[Key]:
        """Every key."""
        return [key for _, key in self._known.values()]

    def of(self, text: str) -> Key | None:
        """The key with this text; None for a text that is no key."""
        parts = text.split("_")
        well = len(parts) == 3 and parts[0] == "xa"
        wanted, key = self._known.get(parts[1] if well else "", (NOBODY, None))
        same = hmac.compare_digest(_hash(parts[2] if well else ""), wanted)
        return key if same else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
