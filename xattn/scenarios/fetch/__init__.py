"""Public sets from where they are published: `fetch` brings one, makes of it what the converters read, and keeps that.

    $XATTN_DATA/uci-entree/chicago.txt, …       what is kept
    $XATTN_DATA/uci-entree/fetched.json         where it came from, when, sizes and checksums of the originals
    $XATTN_DATA/terms.json                      whose terms were accepted

The originals themselves are not kept. Where nobody has compared an original, its checksum is learned at the first
fetch and called unverified; a later fetch says whether the original is still the same.
"""

from xattn.scenarios.fetch.fetch import Fetched, accept, accepted, fetch, fetched
from xattn.scenarios.fetch.home import data_home, folder_of
from xattn.scenarios.fetch.sources import PublicSet, RemoteFile, public_set, public_sets

__all__ = [
    "Fetched",
    "PublicSet",
    "RemoteFile",
    "accept",
    "accepted",
    "data_home",
    "fetch",
    "fetched",
    "folder_of",
    "public_set",
    "public_sets",
]
