"""A head for each block of features: shares, gradients, weights that are learned, removals of heads and of parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xattn
from xattn import ContentAttention, HybridAttention, Interactions
from xattn.model.fit.block_weights import Pulls, fit_weights, loss
from xattn.model.heads.blocks import block_shares

FUSIONS = ("add", "softmax")


def made(seed: int = 0, new: int = 0) -> Interactions:
    """People who follow a word of the story through the items; "kind" means nothing, and many items have none."""
    rng = np.random.default_rng(seed)
    words = ["heist", "robot", "love", "war"]
    n = 48 + new
    told = [f"{words[row % 4]} by {rng.integers(9)}0 people at night {row}" for row in range(n)]
    story = [text if row % 8 else "" for row, text in enumerate(told)]
    kind = [f"k{rng.integers(3)}" if rng.random() < 0.6 else "" for _ in range(n)]
    names = [f"i{row}" for row in range(n)]
    items = pd.DataFrame({"item": names, "title": names, "story": story, "kind": kind})
    picked = [rng.choice(np.arange(rng.integers(4), 48, 4), 7, replace=False) for _ in range(60)]
    events = {"user": np.repeat([f"u{u}" for u in range(60)], 7), "item": [names[row] for own in picked for row in own]}
    return xattn.read_interactions(pd.DataFrame(events), items=items)


@given(st.lists(st.booleans(), min_size=3, max_size=3), st.lists(st.floats(-700, 700), min_size=3, max_size=3))
def test_shares_are_a_softmax_over_what_says_something(known: list[bool], omega: list[float]) -> None:
    share = block_shares(np.array(known)[:, None], np.array(omega))[:, 0]
    assert (share[~np.array(known)] == 0).all()
    assert (
        share.sum() == pytest.approx(float(any(known)), abs=1e-12)
        or max(omega) - max(o for o, k in zip(omega, known, strict=True) if k) > 600
    )


def test_the_gradient_of_the_loss_is_its_derivative() -> None:
    rng = np.random.default_rng(0)
    pulls = Pulls(rng.normal(size=(9, 6, 3)), rng.random((9, 6, 3)) < 0.7)
    x = rng.normal(size=4)
    _, slope = loss(x, pulls)
    for place, step in enumerate(1e-5 * np.eye(4)):
        numeric = (loss(x + step, pulls)[0] - loss(x - step, pulls)[0]) / 2e-5
        assert slope[place] == pytest.approx(numeric, rel=1e-7, abs=1e-9)


def test_the_weight_goes_to_the_block_that_tells_what_came_next() -> None:
    rng = np.random.default_rng(1)
    h = 0.1 * rng.normal(size=(200, 20, 3))
    h[:, 0, 1] += 2.0
    omega, factor = fit_weights(Pulls(h, np.ones(h.shape, bool)))
    assert omega[1] > max(omega[0], omega[2]) + 2
    assert factor > 0


@pytest.mark.parametrize("fusion", FUSIONS)
def test_each_block_is_a_head(fusion: str) -> None:
    model = ContentAttention(fusion=fusion).fit(made())
    assert model.head_names == ("story", "kind")
    why = model.explain(user="u0", item="i1")
    assert set(why.cells["head"]) <= {"story", "kind"}
    blocks, heads = (why.by(what).set_index(what)["contribution"] for what in ("block", "head"))
    for name in blocks.index:
        assert blocks[name] == pytest.approx(heads[name], abs=1e-12)


def test_the_block_that_matters_gets_the_weight_and_carries_items_that_lack_the_other() -> None:
    model = ContentAttention(fusion="softmax").fit(made())
    part = model.parts_[0]
    assert part.omega[0] > part.omega[1] + 1  # type: ignore[attr-defined]
    frame = model.data_.items.frame
    for share, column in zip(part.shares, ("story", "kind"), strict=True):  # type: ignore[attr-defined]
        assert (share[(frame[column] == "").to_numpy()] == 0).all()
    some = ((frame["story"] != "") | (frame["kind"] != "")).to_numpy()
    np.testing.assert_allclose(part.shares.sum(axis=0), some.astype(float), atol=1e-12)  # type: ignore[attr-defined]


@given(
    seed=st.integers(0, 10**6),
    who=st.integers(0, 59),
    item=st.integers(0, 50),
    fusion=st.sampled_from(FUSIONS),
    hybrid=st.booleans(),
)
@settings(max_examples=12, deadline=None)
def test_what_is_announced_is_served(seed: int, who: int, item: int, fusion: str, hybrid: bool) -> None:
    """Σ cells = score − base; an event, a block, a part: the announced effect is the one that is served."""
    kind = HybridAttention(fusion=fusion, learned="never", min_events=1, dtype="float64", newcomers=1.0)
    model = (kind if hybrid else ContentAttention(fusion=fusion)).fit(made(seed, new=3))
    why = model.explain(user=f"u{who}", item=f"i{item}")
    j = why.question.target
    assert abs(why.base + why.cells["contribution"].sum() - why.score) <= 1e-10
    removed = why.removals().to_dict("records")[0]
    assert abs(model.scores_of(why.history.without([removed["position"]]))[j] - removed["score_without"]) <= 1e-10
    heads = why.by("head").set_index("head")["contribution"]
    served = model.without_heads(["story"]).scores_of(why.history)[j]
    assert abs(why.score - heads.get("story", 0.0) - served) <= 1e-10
    for side in ("event", "target"):
        for row in why.part_removals("story", side=side).to_dict("records")[:3]:
            twin = model.without_parts("story", row["event"], [row["place"]])
            assert abs(twin.scores_of(why.history)[j] - row["score_without"]) <= 1e-10


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_saved_model_scores_alike(fusion: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    model = ContentAttention(fusion=fusion).fit(made())
    model.save(tmp_path / "m.npz")
    again = xattn.load_model(tmp_path / "m.npz")
    np.testing.assert_array_equal(model.score("u0"), again.score("u0"))
    assert again.head_names == model.head_names


def test_one_block_alone_is_the_one_head() -> None:
    data = made()
    items = pd.DataFrame({"item": data.items.ids, "title": data.items.ids, "story": data.items.frame["story"]})
    events = pd.DataFrame(
        {"user": [data.user_ids[u] for u in data.user], "item": [data.items.ids[j] for j in data.item]}
    )
    alone = xattn.read_interactions(events, items=items)
    one, other = (ContentAttention(fusion=f).fit(alone).score("u0") for f in ("multiply", "add"))
    np.testing.assert_allclose(one, other, rtol=1e-12)
