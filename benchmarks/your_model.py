"""The figures of docs/your-model.md: wrapped models against what they serve, implicit's `explain`, exhaustive search
and the clock.

    python -m benchmarks.your_model [sums] [implicit] [search] [speed]

sums       base + cells against the served score, and announced removals against the model asked again, 100 users a kind
implicit   implicit's own `explain` of ALS beside ours: its total against the score that implicit serves and that ours
           serves; Kendall's τ of the terms and of our announced effects with what removals really do, at α = 1, 10, 40
search     how often the K events of `Ledger.strongest` take as much of the score as the best of all sets of K events,
           K = 1, 2, 3, of ten and of thirty events; and the first K of other orders: single effects, the model asked
           again after each removal, contribution, recency, random
speed      arrival ledger and all single removals of a 200-event history of a SASRec in PyTorch

implicit and PyTorch are needed (`pip install 'xattn[rivals]'`). MovieLens-small, users and items with 20 events.
"""

from __future__ import annotations

import sys
import time
from itertools import combinations
from typing import Any

import numpy as np
import torch
from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender
from scipy import sparse
from scipy.stats import kendalltau
from torch import nn

import xattn
from xattn.data import History, Interactions
from xattn.evaluate.faithfulness.protocol import listed
from xattn.recommenders import Recommender
from xattn.recommenders.foreign import WrappedScores

USERS = 100
LENGTH = 200
ALPHAS = (1.0, 10.0, 40.0)


def user_items(data: Interactions) -> sparse.csr_matrix:
    ones = np.ones(data.n_events, np.float32)
    return sparse.csr_matrix((ones, (data.user, data.item)), shape=(data.n_users, data.n_items))


def als(data: Interactions, alpha: float) -> Any:
    model = AlternatingLeastSquares(factors=32, regularization=1.0, alpha=alpha, random_state=0, num_threads=1)
    model.fit(user_items(data), show_progress=False)
    return model


def ease(data: Interactions) -> np.ndarray:
    met = user_items(data).toarray().astype(np.float64)
    P = np.linalg.inv(met.T @ met + 100.0 * np.eye(data.n_items))
    B = -P / np.diag(P)
    np.fill_diagonal(B, 0.0)
    return np.asarray(B)


class SASRec(nn.Module):
    """Two blocks of self-attention of d = 64 (Kang and McAuley, ICDM 2018); 0 is no item. Places count from the oldest
    event, so one pass gives what each beginning gives."""

    def __init__(self, n_items: int, d: int = 64) -> None:
        super().__init__()
        self.item = nn.Embedding(n_items + 1, d, padding_idx=0)
        self.place = nn.Parameter(0.02 * torch.randn(LENGTH, d))
        layer = nn.TransformerEncoderLayer(d, 2, 2 * d, dropout=0.2, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.popular = nn.Parameter(torch.zeros(n_items + 1))

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        items = items[:, -LENGTH:]
        n = items.shape[1]
        if not n:  # no event at all: what everybody gets
            return self.popular.expand(len(items), 1, -1)
        mask = nn.Transformer.generate_square_subsequent_mask(n)
        return (
            self.blocks(self.item(items) + self.place[:n], mask=mask, is_causal=True) @ self.item.weight.T
            + self.popular
        )


def sasrec(data: Interactions, epochs: int = 2, newest: int = 50) -> SASRec:
    torch.manual_seed(0)
    module = SASRec(data.n_items)
    module.popular.data[1:] = torch.from_numpy(np.log((data.counts() + 1) / data.n_events))
    rows = [torch.from_numpy(data.item[data.events_of(u)][-newest - 1 :] + 1) for u in range(data.n_users)]
    optimizer = torch.optim.Adam(module.parameters(), lr=2e-3)
    for _ in range(epochs):
        for some in torch.randperm(len(rows)).split(16):
            batch = nn.utils.rnn.pad_sequence([rows[r] for r in some.tolist()], batch_first=True)
            scores = module(batch[:, :-1])
            loss = nn.functional.cross_entropy(scores.flatten(0, 1), batch[:, 1:].flatten(), ignore_index=0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return module


def kinds(data: Interactions) -> dict[str, Recommender]:
    bm25 = BM25Recommender(K=50, num_threads=1)
    bm25.fit(user_items(data), show_progress=False)
    network = sasrec(data)
    B = ease(data)

    def function(histories: list[np.ndarray]) -> np.ndarray:
        return np.tanh(np.array([0.9 ** np.arange(len(one))[::-1] @ B[one] for one in histories]))

    return {
        "EASE, a matrix": xattn.wrap(B, data),
        "item kNN of implicit (BM25)": xattn.wrap(bm25, data),
        "ALS of implicit, α = 10": xattn.wrap(als(data, 10.0), data),
        "SASRec in PyTorch, arrival": xattn.wrap(network, data, batch_size=32),
        "a function, arrival": xattn.wrap(function, data),
        "a function, average": xattn.wrap(function, data, kind="average", budget=200),
    }


def short(data: Interactions, user: int, most: int = 30) -> History:
    """The newest events of a person."""
    history = History.of(data, user)
    return history.without(np.arange(max(0, len(history) - most)))


def asked_anew(model: Any, history: History) -> np.ndarray:
    """The scores of a history, alone and with nothing that was kept."""
    if isinstance(model, WrappedScores) and history.live.any():
        return model.asked_.asked([history.item[history.live]])[0]
    return np.asarray(model.scores_of(history))


def sums(data: Interactions) -> None:
    print("kind | largest |base + cells − served| | largest |announced − asked again| | removals")
    for name, model in kinds(data).items():
        apart, missed, asked = 0.0, 0.0, 0
        for user in range(USERS):
            history = short(data, user)
            served = model.scores_of(history)
            target = int(np.argmax(np.where(np.isin(np.arange(data.n_items), history.item), -np.inf, served)))
            cells = sum(float(head.contribution.sum()) for head in model.cells_of(history, target))
            apart = max(apart, abs(model.base_[target] + cells - served[target]))
            announced = model.scores_without_each(history, np.array([target]))[0]
            for position in np.flatnonzero(history.live).tolist():
                again = asked_anew(model, history.without([position]))[target]
                missed, asked = max(missed, abs(announced[position] - again)), asked + 1
        print(f"{name} | {apart:.1e} | {missed:.1e} | {asked}", flush=True)


def implicit(data: Interactions) -> None:
    print("α | their total − their served (mean, max) | ours − ours served (max) | τ of terms | τ of our announced | n")
    given = user_items(data)
    for alpha in ALPHAS:
        theirs = als(data, alpha)
        model = xattn.wrap(theirs, data)
        gaps, own, of_terms, of_ours = [], [], [], []
        for user in range(USERS):
            row = given[user]
            [item], [score] = theirs.recommend(user, row, N=1)
            total, terms, _ = theirs.explain(user, given, item, N=row.nnz)
            gaps.append(abs(total - score))
            why = model.explain(data.user_ids[user], data.items.ids[item])
            own.append(abs(why.base + why.cells["contribution"].sum() - why.score))
            moved = why.removals().set_index("event")["score_without"]
            place = {one: n for n, one in enumerate(data.items.ids)}
            real = {}
            for event in moved.index:  # implicit itself, without the event
                left = row.copy()
                left[0, place[event]] = 0.0
                left.eliminate_zeros()
                real[event] = float(score - theirs.recalculate_user(user, left) @ theirs.item_factors[item])
            events = [data.items.ids[j] for j, _ in terms]
            of_terms.append(kendalltau([term for _, term in terms], [real[e] for e in events]).statistic)
            of_ours.append(kendalltau([why.score - moved[e] for e in events], [real[e] for e in events]).statistic)
        print(
            f"{alpha:g} | {np.mean(gaps):.4f}, {np.max(gaps):.4f} | {np.max(own):.1e} | {np.mean(of_terms):.3f} | "
            f"{np.mean(of_ours):.3f} | {len(gaps)}",
            flush=True,
        )


def search(data: Interactions) -> None:
    """The first of the list, for the ten and the thirty newest events: what each way of naming K events takes, against
    the best of all sets of K."""
    rng = np.random.default_rng(0)
    print("kind | events | people | K | as good as exhaustive search")
    for name, model in kinds(data).items():
        if name.endswith("average"):
            continue
        for newest, most in ((10, USERS), (30, USERS if "PyTorch" not in name else USERS // 4)):
            good: dict[tuple[str, int], list[bool]] = {}
            people = np.flatnonzero(np.diff(data.indptr) >= newest)[:most]
            for user in people.tolist():
                for way, found in named(model, short(data, user, newest), rng).items():
                    for K in (1, 2, 3):
                        good.setdefault((way, K), []).append(found[K - 1])
            ways = list(dict.fromkeys(way for way, _ in good))
            for K in (1, 2, 3):
                shares = ", ".join(f"{way} {np.mean(good[way, K]):.0%}" for way in ways)
                print(f"{name} | {newest} | {len(people)} | {K} | {shares}", flush=True)


def named(model: Any, history: History, rng: np.random.Generator) -> dict[str, list[bool]]:
    """Whether the set of K = 1, 2, 3 that each way names takes as much as the best of all sets of K."""
    target = listed(model, history, 1)[0]
    live = np.flatnonzero(history.live)
    n = len(live)

    def left(sets: np.ndarray) -> np.ndarray:
        """The scores without each of the sets (B, K) of live events."""
        masked = np.repeat(history.live[None, :], len(sets), axis=0)
        masked[np.arange(len(sets))[:, None], live[sets]] = False
        return np.asarray(model.scores_masked(history, masked, np.array([target]))[:, 0])

    again: list[int] = []  # the model is asked again after each removal
    for _ in range(3):
        rest = np.setdiff1d(np.arange(n), again)
        again.append(int(rest[np.argmin(left(np.array([[*again, one] for one in rest.tolist()])))]))
    cells = sum(head.contribution.sum(axis=-1) for head in model.cells_of(history, target))
    orders = {
        "single effects": np.argsort(left(np.arange(n)[:, None]), kind="stable"),
        "again after each": np.array(again),
        "contribution": np.argsort(-np.asarray(cells)[live], kind="stable"),
        "recency": np.arange(n)[::-1],
        "random": rng.permutation(n),
    }
    strongest = model.explain(history=history, item=model.data_.items.ids[target]).strongest(3)
    found: dict[str, list[bool]] = {}
    for K in (1, 2, 3):
        best = left(np.array(list(combinations(range(n), K)))).min()
        enough = best + 1e-9 * max(1.0, abs(best))
        found.setdefault("strongest", []).append(bool(strongest["score_without"][K - 1] <= enough))
        for way, order in orders.items():
            found.setdefault(way, []).append(bool(left(order[None, :K])[0] <= enough))
    return found


def speed(data: Interactions) -> None:
    torch.set_num_threads(2)
    network = sasrec(data, epochs=0)  # what it has learned takes no time, and cannot show the order of its items
    model: Any = xattn.wrap(network, data, batch_size=64, items=data.items.ids)
    longest = np.argsort(-np.diff(data.indptr), kind="stable")[:6]
    print(f"one pass: {model.one_pass_}; items: {data.n_items}")
    took: dict[str, list[float]] = {}
    told: list[int] = []
    for user in longest.tolist():
        history = short(data, user, LENGTH)
        item = data.items.ids[listed(model, history, 1)[0]]
        model.asked_.forget()  # the ledger scores the history again
        start = time.perf_counter()
        why = model.explain(history=history, item=item)
        took.setdefault("explained: the served score and the arrival ledger", []).append(time.perf_counter() - start)
        shares: list[float] = []
        start = time.perf_counter()
        why.removals(progress=lambda what, share, heard=shares: heard.append(share))
        took.setdefault("all single removals with scores and ranks", []).append(time.perf_counter() - start)
        told.append(len(shares))
        start = time.perf_counter()
        why.strongest(3)
        took.setdefault("the strongest sets of one, two and three", []).append(time.perf_counter() - start)
    print(f"{int(history.live.sum())} events; progress is told {min(told)} times or more", flush=True)
    for what, seconds in took.items():
        print(f"{what}: median {np.median(seconds):.3f} s, largest {max(seconds):.3f} s, of {len(seconds)}", flush=True)


if __name__ == "__main__":
    films = xattn.load_dataset("movielens-small").core(20)
    for part in sys.argv[1:] or ("sums", "implicit", "search", "speed"):
        print(f"\n{part}", flush=True)
        {"sums": sums, "implicit": implicit, "search": search, "speed": speed}[part](films)
