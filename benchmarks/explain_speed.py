"""How long explanations take on movielens-small with the default model, warm.

    python benchmarks/explain_speed.py [--model FILE] [--users 60]

`list`     recommend 10 and the ledger of each, one user at a time: p50 and p99
`full`     100 recommendations (ten users, ten each): ledger, removals of every event, counterfactual, paragraph
`drop`     counterfactuals of the top ten at histories of at most 100 events: how many are exact, and the median
`long`     counterfactual, set removal and the whole list at histories of about 500 events

Wall time, and in brackets the processor time of this process, which says more on a busy machine. Users are drawn with
seed 0. XATTN_NUM_THREADS=1 leaves out the wait for threads where other work keeps the cores.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

import xattn
from xattn.explain import explain_list
from xattn.recommenders import Recommender


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """(wall, processor) milliseconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3


def line(what: str, times: list[tuple[float, float]], *quantiles: float) -> None:
    table = np.array(times)
    told = [f"p{q:g} {np.percentile(table[:, 0], q):.2f} ms [{np.percentile(table[:, 1], q):.2f}]" for q in quantiles]
    print(f"{what:58} {'   '.join(told)}   n = {len(table)}", flush=True)


def ledgers(model: Recommender, user: str) -> None:
    for item in model.recommend(user)["item"]:
        _ = model.explain(user, item).base_share  # sums all cells


def full(model: Recommender, users: list[str]) -> None:
    for user in users:
        for item in model.recommend(user)["item"]:
            model.explain(user, item).text()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a file of `xattn fit`; else the default model is fitted")
    parser.add_argument("--users", type=int, default=60)
    asked = parser.parse_args()
    if asked.model:
        model = xattn.load_model(asked.model)
    else:
        model = xattn.HybridAttention().fit(xattn.load_dataset("movielens-small"))
    data, rng = model.data_, np.random.default_rng(0)
    length = np.diff(data.indptr)
    drawn = [data.user_ids[u] for u in rng.permutation(data.n_users)[: asked.users].tolist()]
    short = [data.user_ids[u] for u in rng.permutation(np.flatnonzero(length <= 100))[: asked.users].tolist()]
    long = [data.user_ids[u] for u in np.argsort(np.abs(length - 500))[:5].tolist()]
    full(model, drawn[:3])  # compiles

    line("list: recommend 10 + ledger of each", [timed(lambda u=u: ledgers(model, u)) for u in drawn], 50, 99)
    line("full: 100 recommendations explained", [timed(lambda: full(model, drawn[:10])) for _ in range(3)], 50)
    times, exact = [], []
    for user in short:
        for item in model.recommend(user)["item"]:
            times.append(timed(lambda user=user, item=item: model.explain(user, item).counterfactual()))
            exact.append(model.explain(user, item).counterfactual().exact)
    line(f"drop: counterfactual, exact {np.mean(exact):.1%}", times, 50, 90, 99)
    found = [model.explain(user, model.recommend(user)["item"][2]) for user in long]
    line("long: counterfactual at about 500 events", [timed(why.counterfactual) for why in found], 50)
    line("long: removal of a set", [timed(lambda why=why: why.removal([0, 5, 9])) for why in found], 50)
    line("long: the whole list", [timed(lambda u=u: explain_list(model, u).events()) for u in long], 50)


if __name__ == "__main__":
    main()
