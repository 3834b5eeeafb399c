"""The planted word, patch and tone is the first part of the first block, and the lure never is."""

from __future__ import annotations

import numpy as np
import pytest

from xattn import ContentAttention, InputError
from xattn.data.feature_set import places_of
from xattn.data.synthetic_parts import PART_KINDS, planted_part
from xattn.explain.parts import parts_of_block
from xattn.features.planted import with_look


@pytest.mark.parametrize("kind", PART_KINDS)
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_the_part_that_made_people_choose_is_named_first(kind: str, noise: float) -> None:
    truth = with_look(planted_part(kind, n_users=120, seed=3, noise=noise))
    data = truth.data
    model = ContentAttention(content_recency=100.0).fit(
        data.select(~np.isin(np.arange(data.n_events), data.indptr[1:] - 1))
    )
    places = places_of(parts_of_block(data.items, "look"))
    assert places is not None
    asked = np.flatnonzero(truth.caused)[:25].tolist()
    right, lured = 0, 0
    for user in asked:
        target = int(truth.target[user])
        why = model.explain(user=data.user_ids[user], item=data.items.ids[target])
        assert why.by("block")["block"].iloc[0] == "look"
        first = int(why.parts("look", side="target").groupby("place")["contribution"].sum().idxmax())
        at = truth.slot(first, places(target)[first])
        right += at == truth.key_place[target]
        lured += at == truth.lure_place[target]
    assert right >= (0.99 if noise == 0 else 0.95) * len(asked)
    assert lured <= 0.01 * len(asked)


def test_the_truth_is_what_it_says() -> None:
    truth = planted_part("word", n_users=50, seed=1, noise=0.3)
    words = [text.split() for text in truth.cells]
    assert len({own[at] for own, at in zip(words, truth.key_place, strict=True)}) == 4
    same = truth.key[truth.data.item.reshape(50, -1)]
    share = np.mean([np.bincount(row).max() / len(row) for row in same])
    assert 0.7 < share < 0.95
    assert 0.6 < truth.caused.mean() < 0.95
    assert planted_part("patch", seed=2).cells.equals(planted_part("patch", seed=2).cells)
    for wrong in ({"kind": "nosuch"}, {"kind": "word", "n_items": 3}, {"kind": "word", "noise": 2.0}):
        with pytest.raises(InputError):
            planted_part(**wrong)  # type: ignore[arg-type]
