"""What each part of the deep heads is worth: the default fitted again with one part changed.

    python benchmarks/ablation.py [--set movielens-small] [--seeds 0,1] [--epochs 12] [--only NAMES] [--keep FOLDER]

The last event of each person is left out and never looked at. The events before it, up to five of a person (beauty:
one) and less than half of them, are the questions: all that the person did before is the history, one item is to be
found among all that are not in it. The rest is learned from, for a fixed number of epochs; the best epoch and the share
of the learned heads are chosen on events held out of the rest, as ever. `whole` has three tables of items for films,
which the default has no more, and one for beauty, as the default. Alone is what the learned heads say, sum the
whole model. Differences to `whole` are paired over people, means over seeds, with 95 % bootstrap intervals over people.
`--test NAME`, once something is chosen, asks this change for the last events, as `xattn evaluate` does.

movielens-small is its 5-core; beauty is a sample of 6,000 people of the set amazon-beauty (XATTN_TEST_DATA),
whose items have tags. Runs are kept in FOLDER, so that a table can be made bit by bit; XATTN_NUM_THREADS=1 and
OPENBLAS_NUM_THREADS=1 hold a run to one core.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

import xattn
from xattn.data import History, Interactions
from xattn.evaluate import evaluate
from xattn.evaluate.bootstrap import interval
from xattn.model.fit.sequence import Training
from xattn.model.sequence import Parameters, Shape
from xattn.recommenders import HybridAttention
from xattn.recommenders.hybrid import SPARSE

QUESTIONS = {"movielens-small": 5, "beauty": 1}  # of a person at most
PEOPLE = 6000  # of amazon-beauty
K = 10
AT_ONCE = 128  # questions that are scored together
OUT_OF_SIGHT = -1e4  # a bias under which a weight is 0


# --- what is changed --------------------------------------------------------------------------------------------------


def no_blocks(p: Parameters) -> None:
    """The blocks add nothing: queries, keys and gates know one event each."""
    p["Bo"][:] = p["B2"][:] = 0.0


def no_gates(p: Parameters) -> None:
    """Every gate is silu(1), a factor that the normaliser takes out again."""
    p["Wqkg"][:, -p["Wo"].shape[0] :] = 0.0


def no_age(p: Parameters) -> None:
    """Neither the heads nor the blocks know how old an event is."""
    p["r"][:] = p["Br"][:] = 0.0


def newest(p: Parameters) -> None:
    """The first head sees the newest event alone."""
    p["r"][0, 0], p["r"][0, 1:] = 0.0, OUT_OF_SIGHT


def no_tags(p: Parameters) -> None:
    """An item is itself alone."""
    p["T"][:] = 0.0


class Change(NamedTuple):
    """What differs from the default; `tied` None: one table of items on sparse sets alone."""

    says: str
    hold: Callable[[Parameters], None] | None = None
    normed: bool = True
    tied: bool | None = None
    blocks: int = 2


CHANGES = {
    "whole": Change("the whole"),
    "query": Change("no deep query: an encoder without blocks", no_blocks),
    "gates": Change("no gates", no_gates),
    "normaliser": Change("no normaliser", normed=False),
    "age": Change("no age, in heads and blocks", no_age),
    "newest": Change("with a head that sees the newest event alone", newest),
    "before": Change("the learned heads without an encoder (eq. 27)", blocks=0),
    "one_table": Change("one table of items, with tags", tied=True),
    "no_tags": Change("one table of items, without tags", no_tags, tied=True),
    "three_tables": Change("three tables of items, without tags", tied=False),
}
OF_SET = {
    "movielens-small": ("query", "gates", "normaliser", "age", "newest", "before", "one_table", "no_tags"),
    "beauty": ("query", "gates", "normaliser", "age", "newest", "before", "no_tags", "three_tables"),
}


class Ablated(HybridAttention):
    """The default with a change, trained for `epochs` epochs."""

    change: ClassVar[Change]
    epochs: ClassVar[int]

    def _shape(self, per_item: float) -> Shape:
        return super()._shape(per_item)._replace(normed=self.change.normed)

    def _training(self, data: Interactions, per_item: float) -> Training:
        own = super()._training(data, per_item)
        tied = per_item < SPARSE if self.change.tied is None else self.change.tied
        how = {"minutes": None, "tied": tied, "hold": self.change.hold}
        return own._replace(epochs=self.epochs, patience=self.epochs, **how)


def made(change: Change, epochs: int, seed: int) -> HybridAttention:
    kind = type("Ablated", (Ablated,), {"change": change, "epochs": epochs})
    model: HybridAttention = kind(learned="always", encoder_blocks=change.blocks, random_state=seed)
    return model


# --- what is asked ----------------------------------------------------------------------------------------------------


class Asked(NamedTuple):
    """The data that is learned from, and Q questions: a history, the `item` (Q,) to be found, whose it is (Q,)."""

    train: Interactions
    histories: list[History]
    item: np.ndarray
    user: np.ndarray

    @classmethod
    def of(cls, data: Interactions, most: int) -> Asked:
        kept, places = np.zeros(data.n_events, bool), []
        for low, high in zip(data.indptr[:-1].tolist(), data.indptr[1:].tolist(), strict=True):
            n = min(most, (high - low - 1) // 2)
            kept[low : high - 1 - n] = True
            places += range(high - 1 - n, high - 1)
        at = np.array(places)
        histories = [_before(data, place) for place in places]
        return cls(data.select(kept), histories, data.item[at], data.user[at])

    def found(self, scores: Callable[[list[History]], np.ndarray]) -> np.ndarray:
        """(U,) NDCG@10, the mean of each person who is asked."""
        gain = np.zeros(len(self.item))
        for low in range(0, len(gain), AT_ONCE):
            histories = self.histories[low : low + AT_ONCE]
            for q, (history, row) in enumerate(zip(histories, scores(histories), strict=True), low):
                target = self.item[q]
                rival = ~(row < row[target])  # ties count against it
                rival[history.item] = False
                rival[target] = False
                rank = 1 + rival.sum()
                gain[q] = 1.0 / np.log2(1.0 + rank) if rank <= K else 0.0
        return np.bincount(self.user, gain)[np.unique(self.user)] / np.unique(self.user, return_counts=True)[1]


def _before(data: Interactions, place: int) -> History:
    """The events of the same person before this one, as of somebody new."""
    own = slice(int(data.indptr[data.user[place]]), place)
    n = own.stop - own.start
    rating = None if data.rating is None else data.rating[own]
    return History(data.item[own], rating, np.arange(n)[::-1], np.ones(n, bool))


def opened(name: str) -> Interactions:
    if name == "movielens-small":
        return xattn.load_dataset(name).core(5)
    folder = Path(os.environ["XATTN_TEST_DATA"]) / "amazon-beauty"
    data = xattn.read_interactions(folder / "events.csv.gz", items=folder / "items.csv.gz")
    some = np.random.default_rng(0).permutation(data.n_users)[:PEOPLE]
    return data.select(np.isin(data.user, some)).core(1)


# --- runs and table ---------------------------------------------------------------------------------------------------


class Run(NamedTuple):
    """(U,) each; a closed form alone has no learned heads."""

    alone: np.ndarray
    sum: np.ndarray
    seconds: float


def run(asked: Asked, name: str, epochs: int, seed: int) -> Run:
    start = time.perf_counter()

    def tell(what: str, share: float) -> None:
        print(f"\r{name} {seed}: {what} {share:.0%}, {time.perf_counter() - start:.0f} s ", end="", file=sys.stderr)

    if name == "closed":
        model = HybridAttention(learned="never", random_state=seed).fit(asked.train)
    else:
        model = made(CHANGES[name], epochs, seed).fit(asked.train, progress=tell)
    seconds = time.perf_counter() - start
    learned, share = model.learned_, model.share_
    whole = asked.found(model.scores_of_many)
    if learned is None:
        return Run(np.full(len(whole), np.nan), whole, seconds)
    alone = asked.found(lambda histories: learned.scores([history.item for history in histories], share))
    figures = " ".join(f"{epoch.validation:.4f}" for epoch in learned.epochs)
    print(f"\r{name} {seed}: α {model.alpha_:.3g}, epochs {figures}", file=sys.stderr, flush=True)
    return Run(alone, whole, seconds)


def table(runs: dict[tuple[str, int], Run]) -> Iterator[str]:
    """Lines of Markdown; the seeds of a row stand in its cells."""
    yield "| | alone, by seed | less `whole` | sum, by seed | less `whole` | seconds |"
    yield "|---|---|---|---|---|---|"
    for name in dict.fromkeys(name for name, _ in runs):
        own = {seed: one for (other, seed), one in runs.items() if other == name}
        cells = ["closed form and content alone" if name == "closed" else CHANGES[name].says]
        for part in ("alone", "sum"):
            figures = [getattr(one, part) for one in own.values()]
            cells.append(", ".join("" if np.isnan(figure).any() else f"{figure.mean():.4f}" for figure in figures))
            both = [seed for seed in own if ("whole", seed) in runs]
            apart = [getattr(own[seed], part) - getattr(runs["whole", seed], part) for seed in both]
            if name == "whole" or not both or np.isnan(apart).any():
                cells.append("")
                continue
            mean = np.mean(apart, axis=0)
            low, high = interval(mean, 0)
            cells.append(f"{mean.mean():+.4f} [{low:+.4f}, {high:+.4f}]")
        cells.append(f"{np.mean([one.seconds for one in own.values()]):.0f}")
        yield "| " + " | ".join(cells) + " |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--set", choices=tuple(OF_SET), default="movielens-small")
    options.add_argument("--seeds", default="0,1")
    options.add_argument("--epochs", type=int, default=12)
    options.add_argument(
        "--only", default="", help="names of changes, with commas; all of the set where there are none"
    )
    options.add_argument("--keep", type=Path, default=None, help="a folder of runs, which are not made again")
    options.add_argument("--test", choices=tuple(CHANGES), default=None)
    given = options.parse_args()
    if given.test is not None:
        for seed in map(int, given.seeds.split(",")):
            make = partial(made, CHANGES[given.test], given.epochs, seed)
            row = evaluate(opened(given.set), {given.test: make}, seed=seed)["rows"][0]
            low, high = row["ci95"]["ndcg@10"]
            print(f"{given.test} {seed}: ndcg@10 {row['ndcg@10']:.4f} ({low:.4f}–{high:.4f}), hr@10 {row['hr@10']:.4f}")
        return
    asked = Asked.of(opened(given.set), QUESTIONS[given.set])
    print(f"{len(asked.item):,} questions of {len(np.unique(asked.user)):,} people, {asked.train.n_events:,} events")
    runs: dict[tuple[str, int], Run] = {}
    for seed in map(int, given.seeds.split(",")):
        for name in ("closed", "whole", *(given.only.split(",") if given.only else OF_SET[given.set])):
            file = None if given.keep is None else given.keep / f"{given.set}-{given.epochs}-{name}-{seed}.npy"
            if file is not None and file.exists():
                kept = np.load(file)
                runs[name, seed] = Run(kept[0, 1:], kept[1, 1:], float(kept[0, 0]))
                continue
            one = runs[name, seed] = run(asked, name, given.epochs, seed)
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                np.save(file, np.insert(np.stack([one.alone, one.sum]), 0, one.seconds, axis=1))
    print("\n".join(table(runs)))


if __name__ == "__main__":
    main()
