"""At whose cost films that nobody has met get into lists: `python benchmarks/newcomers.py [--seed 0]`.

A tenth of the bundled films is hidden (`xattn.evaluate.cold`), and the last event of each user with another film. For
shares of places given to newcomers (`newcomers` of HybridAttention): recall@50 of the hidden films and the share of
places that they take, NDCG@10 and HR@50 of the other events. The closed form alone.
"""

from __future__ import annotations

import argparse

import numpy as np

import xattn
from xattn import HybridAttention
from xattn.evaluate.cold import _asked as asked
from xattn.evaluate.cold import hidden_items, questions_of
from xattn.evaluate.questions import last_events
from xattn.evaluate.ranking import rank

SHARES = (0.0, 0.05, 0.1, 0.12, 0.2)
K, LONG = 10, 50


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=0)
    data = xattn.load_dataset("movielens-small")
    hidden = hidden_items(data, np.random.default_rng(options.parse_args().seed))
    known = data.select(~hidden[data.item])
    held, questions = last_events(known), questions_of(data, known, hidden)
    user = np.unique([question.user for question in questions], return_inverse=True)[1]
    print("| `newcomers` | recall@50, hidden | cold_share | NDCG@10, others | HR@50, others |\n|---|---|---|---|---|")
    for share in SHARES:
        model = HybridAttention(newcomers=share).fit(held.train)
        found = asked(model, questions, hidden, LONG)
        means = [
            (np.bincount(user, found[name]) / np.bincount(user)).mean() for name in (f"recall@{LONG}", "cold_share")
        ]
        ranks = np.array([own[0] if len(own) else np.inf for own in rank(model, held, LONG).ranks])
        others = [np.where(ranks <= K, 1 / np.log2(1 + ranks), 0.0).mean(), (ranks <= LONG).mean()]
        print(f"| {share:g} | {means[0]:.3f} | {means[1]:.3f} | {others[0]:.4f} | {others[1]:.3f} |", flush=True)


if __name__ == "__main__":
    main()
