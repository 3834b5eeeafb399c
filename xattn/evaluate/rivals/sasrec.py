"""SASRec with cross-entropy over the whole catalogue, its strongest loss (Klenitskiy and Vasilev, RecSys 2023).

Self-attention over the last events of a history guesses the next one (`network`). Training does not see each user's
last event, which says when to stop: the parameters of the best pass stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from xattn.data import History, Interactions
from xattn.errors import takes_old_names
from xattn.errors.constraints import POSITIVE, Range, Whole, constraints
from xattn.evaluate.rivals.base import Rival
from xattn.evaluate.rivals.network import Network, filled
from xattn.progress import Progress, silent
from xattn.recommenders.estimator import LogRange, space

__all__ = ["SASRec"]

TOP = 10  # NDCG@10 of the events that were kept says when to stop
JUDGES = 2000  # of them at most
ASKED = 64  # sequences of a batch that is asked, not trained on


class SASRec(Rival):
    """Self-attentive sequential recommendation (Kang and McAuley, ICDM 2018), with full cross-entropy and Adam.

    Parameters: `hidden_size` of item and state; `blocks`; `dropout` from 0 to under 1; `learning_rate` > 0; `length`,
    the newest events that count; `epochs`, passes at most; `patience`, passes without a better validation before it
    stops; `batch_size`, sequences a step; `random_state`. Defaults as tuned in docs/evaluation.md. It trains in one
    thread, so that a seed means one result; PyTorch's number of threads and random state are put back.
    """

    package = "torch"

    search_space = space(
        hidden_size=[32, 64, 128],
        blocks=[1, 2],
        dropout=[0.2, 0.35, 0.5],
        learning_rate=LogRange(5e-4, 4e-3),
    )
    _constraints = constraints(
        **dict.fromkeys(("hidden_size", "blocks", "length", "epochs", "patience", "batch_size"), Whole(1)),
        dropout=Range(0.0, 1.0, open_high=True),
        learning_rate=POSITIVE,
        random_state=Whole(),
    )

    @takes_old_names(dimensions="hidden_size", batch="batch_size")
    def __init__(
        self,
        *,
        hidden_size: int = 128,
        blocks: int = 2,
        dropout: float = 0.2,
        learning_rate: float = 0.0037,
        length: int = 200,
        epochs: int = 25,
        patience: int = 5,
        batch_size: int = 16,
        random_state: int = 0,
    ) -> None:
        self.hidden_size = hidden_size
        self.blocks = blocks
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.length = length
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.random_state = random_state

    def _fit(self, data: Interactions, progress: Progress | None) -> None:
        import torch

        self._torch = torch
        with _one_thread(torch), torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.random_state)
            self._train(data, progress or silent)

    def _train(self, data: Interactions, tell: Progress) -> None:
        torch, rng = self._torch, np.random.default_rng(self.random_state)
        whole = np.split(data.item, data.indptr[1:-1])
        asked = [s for s in whole if len(s) > 2]
        judges = [asked[i] for i in np.sort(rng.permutation(len(asked))[:JUDGES])]
        train = [w for s in whole for w in self._windows(s[:-1] if len(s) > 2 else s)]
        net = Network(torch, data.n_items, self.hidden_size, self.blocks, self.length, self.dropout)
        self._network = net
        adam = torch.optim.Adam(net.table.values(), lr=self.learning_rate)
        best, kept, waited = -1.0, {}, 0
        self.history_: list[float] = []
        for epoch in range(self.epochs):
            tell("epochs", epoch / self.epochs)
            order = rng.permutation(len(train))
            for low in range(0, len(order), self.batch_size):
                self._step(adam, [train[i] for i in order[low : low + self.batch_size]])
            found = self._judged(judges)
            self.history_.append(found)
            if found > best or not judges:
                best, waited = found, 0
                kept = {name: tensor.detach().clone() for name, tensor in net.table.items()}
            else:
                waited += 1
            if waited >= self.patience:
                break
        net.table = kept
        tell("epochs", 1.0)

    def _windows(self, items: np.ndarray) -> Iterator[np.ndarray]:
        """Runs of at most length + 1 events, each but the first also having the last event of the one before."""
        last = len(items)
        while last > 1:
            first = max(0, last - self.length - 1)
            yield items[first:last]
            last = first + 1

    def _step(self, adam: Any, windows: list[np.ndarray]) -> None:
        torch, net = self._torch, self._network
        rows, ages, there = (torch.from_numpy(x) for x in filled([w[:-1] for w in windows]))
        wanted = torch.from_numpy(np.concatenate([w[1:] for w in windows]))
        logits = net.logits(net.states(rows, ages, training=True)[there])
        loss = torch.nn.functional.cross_entropy(logits, wanted)
        adam.zero_grad()
        loss.backward()
        adam.step()

    def _judged(self, judges: list[np.ndarray]) -> float:
        """NDCG@10 of the last event of each sequence among the items that came before in none."""
        if not judges:
            return 0.0
        gain = 0.0
        for low in range(0, len(judges), ASKED):
            part = judges[low : low + ASKED]
            scores = self._asked([s[:-1] for s in part])
            for s, own in zip(part, scores, strict=True):
                target = own[s[-1]]
                own[s[:-1]] = -np.inf
                rank = np.count_nonzero(own >= target) if s[-1] not in s[:-1] else np.count_nonzero(own >= target) + 1
                gain += 1 / np.log2(1 + rank) if rank <= TOP else 0.0
        return gain / len(judges)

    def _asked(self, sequences: list[np.ndarray]) -> np.ndarray:
        """(B, M) logits after the newest event of each sequence, of which each has at least one."""
        torch, net = self._torch, self._network
        cut = [s[-self.length :] for s in sequences]
        rows, ages, _ = filled(cut)
        last = torch.tensor([len(s) - 1 for s in cut])
        with torch.inference_mode():
            states = net.states(torch.from_numpy(rows), torch.from_numpy(ages))
            return np.asarray(net.logits(states[torch.arange(len(cut)), last]).numpy())

    def _scores(self, history: History) -> np.ndarray:
        seen = history.item[history.live]
        if not len(seen):
            return np.zeros(self.data_.n_items)
        with _one_thread(self._torch):
            return np.asarray(self._asked([seen])[0])


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    """One thread for PyTorch, and then as many as before: sums come out alike on any number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
