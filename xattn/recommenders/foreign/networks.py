"""Networks on sequences of item numbers, or on tables of counts: PyTorch modules, and what holds one.

A network takes a batch, int64 (R, L) or float32 (R, M), and answers (R, columns), or (R, L, columns) for all
positions, of which the last is taken. Columns that are no item, as that of the padding, are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from xattn.errors import Quoted, refuse
from xattn.progress import listener
from xattn.recommenders.foreign.asking import Histories
from xattn.recommenders.foreign.source import name_of

__all__ = ["Network", "Reading", "is_module", "table_of", "torch_call"]

MOST = 16_000_000  # scores of all positions that a network answers at a time: 64 MB of them in float32
Call = Callable[[np.ndarray, bool], Any]  # a batch, and whether all positions are wanted → an array


class Reading(NamedTuple):
    """How a model reads histories: what it is handed (`events_as`), the `ids` of its items in its own order, and for
    networks the number `pad` of no item and the `length` that all sequences are brought to (None: as they are)."""

    ids: tuple[str, ...]
    events_as: str = "rows"
    pad: int = 0
    length: int | None = None


class Network:
    """A network by the function `call` that runs it.

    Items are numbered from 1 where 0 pads, else from 0. With a `length`, the newest events are kept and no item stands
    before them, or after them where `pads_after`; without one, histories of equal length go together, and none is
    padded.
    """

    def __init__(self, call: Call, reading: Reading, pads_after: bool = False) -> None:
        self.call = call
        self.reading = reading
        self.pads_after = pads_after
        self.first = 1 if reading.pad == 0 else 0
        self.all_positions = True  # until an answer shows that it gives the last one alone

    def scores(self, histories: Histories) -> np.ndarray:
        """(R, M) after each of the histories."""
        n_items = len(self.reading.ids)
        if self.reading.events_as == "table":
            return self._called(table_of(histories, n_items).toarray().astype(np.float32))
        found = np.empty((len(histories), n_items))
        size = np.array([len(one) if self.reading.length is None else self.reading.length for one in histories])
        tell, done = listener(), 0
        for length in np.unique(size).tolist():
            same = np.flatnonzero(size == length)
            low = 0
            while low < len(same):
                step = max(1, MOST // (max(length, 1) * n_items)) if self.all_positions else len(same)
                at = same[low : low + step]
                tell("asked", done / len(histories))
                done += len(at)
                answer = self._called(np.array([self._padded(histories[r], length) for r in at.tolist()]))
                if answer.shape != (len(at), n_items):
                    refuse("foreign_table", rows=len(at), n=n_items, found="foreign_shape", got=answer.shape)
                found[at] = answer
                low += step
        return found

    def along(self, items: np.ndarray) -> np.ndarray:
        """The scores after each event, from a network that gives them at all positions."""
        length = len(items) if self.reading.length is None else self.reading.length
        found = self._called(self._padded(items, length)[None, :], every=True)
        if found.ndim != 3 or len(items) > length or self.pads_after:
            refuse("foreign_table", rows=len(items), n=len(self.reading.ids), found="foreign_shape", got=found.shape)
        return found[0, length - len(items) :]

    def _padded(self, items: np.ndarray, length: int) -> np.ndarray:
        row = np.full(length, self.reading.pad, np.int64)
        kept = items[len(items) - min(len(items), length) :] + self.first
        row[slice(0, len(kept)) if self.pads_after else slice(length - len(kept), length)] = kept
        return row

    def _called(self, batch: np.ndarray, every: bool = False) -> np.ndarray:
        """(R, M) what the network answers, of the last position; or (R, L, M) of all."""
        answer = self.call(batch, every)
        if not isinstance(answer, np.ndarray):
            refuse("foreign_table", rows=len(batch), n=len(self.reading.ids), found="foreign_kind", got=name_of(answer))
        if answer.dtype.kind not in "fiub":
            got = Quoted(answer.dtype)
            refuse("foreign_table", rows=len(batch), n=len(self.reading.ids), found="foreign_kind", got=got)
        self.all_positions = self.all_positions and answer.ndim == 3
        if answer.ndim == 3 and not every:
            answer = answer[:, -1]
        return self._items(answer.astype(np.float64))

    def _items(self, found: np.ndarray) -> np.ndarray:
        """(…, M) the columns of the items; what has another width is handed on, and refused where all answers are."""
        n_items = len(self.reading.ids)
        if found.shape[-1] > n_items and found.shape[-1] >= n_items + self.first and self.reading.events_as != "table":
            return found[..., self.first : self.first + n_items]
        return found


def table_of(histories: Histories, n_items: int) -> sparse.csr_matrix:
    """(R, M) how often each item was met."""
    rows = np.repeat(np.arange(len(histories)), [len(one) for one in histories])
    items = np.concatenate([*histories, np.zeros(0, np.int64)]).astype(np.int64)
    X = sparse.csr_matrix((np.ones(len(items)), (rows, items)), shape=(len(histories), n_items))
    X.sum_duplicates()
    return X


# --- PyTorch ----------------------------------------------------------------------------------------------------------


def is_module(model: Any) -> bool:
    """Whether this is a module of PyTorch."""
    torch = sys.modules.get("torch")  # whoever holds a module has imported it
    return torch is not None and isinstance(model, torch.nn.Module)


def torch_call(module: Any, run: Callable[[Any, bool], Any] | None = None) -> Call:
    """A module as a `call`, in evaluation mode and without gradients; the mode is put back. `run` takes the tensor of
    a batch and whether all positions are wanted; left out, the module itself is called."""

    def call(batch: np.ndarray, every: bool) -> Any:
        torch = sys.modules["torch"]
        training = [part for part in module.modules() if part.training]
        device = next((table.device for table in module.parameters()), "cpu")
        module.train(False)
        try:
            with torch.inference_mode():
                given = torch.from_numpy(batch).to(device)
                answer = module(given) if run is None else run(given, every)
                answer = getattr(answer, "logits", answer)
                if isinstance(answer, torch.Tensor) and answer.ndim == 3 and not every:
                    answer = answer[:, -1:]  # one of all positions: no more of them has to be copied
                return answer.to("cpu", torch.float64).numpy() if isinstance(answer, torch.Tensor) else answer
        finally:
            for part in training:
                part.training = True

    return call
