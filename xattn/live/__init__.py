"""Live: events arrive, lists follow, every list is explained later, and people are forgotten exactly.

given     what people send ──▶ store    appended, durable ──▶ person    the history and what may not be listed
                                 │                               │
                          whole  the data of a fit        serving  lists and their ledgers, by the current model
                                 │                               │
                         solver, models   solved again, versions ──▶ live   all of it, as one object
"""

from xattn.live.keeper import Plan
from xattn.live.live import Live
from xattn.live.store import Store, open_store

__all__ = ["Live", "Plan", "Store", "open_store"]
