"""What deep heads cost when lists are served: `python benchmarks/deep_speed.py [--histories 30]`.

HybridAttention on the bundled films, with learned heads and without. How good the answers are does not matter here: the
heads get a quarter of a minute, and the closed form a large λ, so that they count beside it. Histories are the newest
200 events of those who have so many. Median and p95 of the milliseconds of a list of ten, of that with its ten ledgers,
with an explanation of its first item and all removals, with ten ledgers and all removals of each, and of the first
drawing of the page of recommendations for one of these people, by Streamlit's own test driver, without a browser: until
its picture and its list are drawn, and whole. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import streamlit as st
from streamlit.testing.v1 import AppTest

import xattn
from xattn.app import state
from xattn.app.recommend import page as recommendations
from xattn.recommenders import HybridAttention

EVENTS = 200
MINUTES = 0.25
LARGE = 1e6
PAGE = "from xattn.app.recommend import page; page.render()"


def milliseconds(run: Callable[[int], object], n: int) -> np.ndarray:
    """(n,) of one call each, after one that does not count; until the moment that a call returns, if it does."""
    run(0)
    found = []
    for place in range(n):
        start = time.perf_counter()
        end = run(place)
        found.append(1000 * ((end if isinstance(end, float) else time.perf_counter()) - start))
    return np.array(found)


def learned() -> HybridAttention:
    """Deep heads that count beside the closed form, soon trained."""
    return HybridAttention(learned="always", regularization=LARGE, fit_minutes=MINUTES)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--histories", type=int, default=30)
    n = options.parse_args().histories
    data = xattn.load_dataset("movielens-small").core(5)
    long = np.flatnonzero(np.diff(data.indptr) >= EVENTS)[:n]
    histories = [[data.items.ids[j] for j in data.item[data.events_of(user)][-EVENTS:]] for user in long.tolist()]
    models = {
        "closed form": HybridAttention(learned="never", regularization=LARGE).fit(data),
        "with deep heads": learned().fit(data),
    }
    for name, model in models.items():
        heads = (
            "" if model.learned_ is None else f", {model.learned_.shape.blocks} blocks, window {model.learned_.shape.L}"
        )

        def served(place: int, model: HybridAttention = model) -> object:
            return model.recommend(history=histories[place], k=10)

        def removed(place: int, model: HybridAttention = model) -> object:
            item = model.recommend(history=histories[place], k=1)["item"][0]
            return model.explain(history=histories[place], item=item).removals()

        def ledgers(place: int, model: HybridAttention = model) -> list[xattn.Ledger]:
            listed = model.recommend(history=histories[place], k=10)["item"]
            return [model.explain(history=histories[place], item=item) for item in listed]

        def all_removed(place: int, told: Callable[[int], list[xattn.Ledger]] = ledgers) -> object:
            return [why.removals() for why in told(place)]

        def drawn(place: int) -> object:
            st.cache_data.clear()
            st.cache_resource.clear()
            page = AppTest.from_string(PAGE, default_timeout=60)
            page.query_params["user"] = data.user_ids[long[place]]
            return page.run()

        def list_drawn(place: int, drawn: Callable[[int], object] = drawn) -> float:
            ends: list[float] = []
            with patch.object(recommendations, "ask_removals", lambda *given: ends.append(time.perf_counter())):
                drawn(place)
            return ends[0]

        state.use(state.Own(data, model))
        asked = {
            "a list": served,
            "a list, ten ledgers": ledgers,
            "a list, an explanation, all removals": removed,
            "a list, ten ledgers, all removals of each": all_removed,
            "the page, until picture and list are drawn": list_drawn,
            "the page": drawn,
        }
        for what, run in asked.items():
            found = milliseconds(run, len(histories))
            middle, late = np.percentile(found, [50, 95])
            print(f"{name}{heads}: {what}: median {middle:.1f} ms, p95 {late:.1f} ms", flush=True)


if __name__ == "__main__":
    main()
