"""Groups: together they are everybody, and a planted difference is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.models import fitted
from xattn import InputError, Interactions, ItemKNN
from xattn.data.split import Split, leave_last_out
from xattn.data.synthetic import planted
from xattn.evaluate import evaluate
from xattn.evaluate.holdout import one_per_user
from xattn.evaluate.reports import groups, said
from xattn.evaluate.reports.quality import QUALITY


@pytest.mark.parametrize("by", ["length", "taste", "item", "genres"])
def test_groups_together_are_everybody(by: str) -> None:
    """Weighted by their users (or tested events), accuracy is that of the protocol next-item."""
    model = fitted("item knn")
    report = groups(model, by=by, k=5, sample=20)
    whole = evaluate(model.data_, [ItemKNN(n_neighbors=8)], k=5)["rows"][0]
    if by in ("length", "taste"):
        assert sum(row["n"] for row in report["rows"]) == model.data_.n_users
        weight = [row["n"] for row in report["rows"]]
    else:
        tested = model.data_.item[model.data_.indptr[1:] - 1]
        genre = model.data_.items.frame["genres"].to_numpy()
        assert sum(row["n"] for row in report["rows"]) == model.data_.n_items
        if by == "item":
            return
        weight = [int((genre[tested] == row["group"]).sum()) for row in report["rows"]]
    for metric in ("ndcg@5", "hr@5"):
        found = np.average([row[metric]["value"] for row in report["rows"]], weights=weight)
        assert found == pytest.approx(whole[metric])
    for row in report["rows"]:
        assert set(QUALITY) < row.keys()
        assert 0 <= row["coverage"] <= 1


@pytest.mark.parametrize("by", ["genres", "length"])
def test_each_group_has_its_own_hits(by: str) -> None:
    """Fitted and asked by hand: who has the last item in the list, group by group."""
    model = fitted("item knn")
    report = groups(model, by=by, k=5, sample=5)
    split = leave_last_out(model.data_)
    again = ItemKNN(n_neighbors=8).fit(split.train)
    genre = model.data_.items.frame["genres"].to_numpy()
    hits: dict[str, list[bool]] = {}
    for user, item in zip(split.user.tolist(), split.item.tolist(), strict=True):
        listed = again.recommend(split.train.user_ids[user], k=5)["item"].tolist()
        hits.setdefault(genre[item], []).append(model.data_.items.ids[item] in listed)
    found = {row["group"]: row["hr@5"]["value"] for row in report["rows"]}
    if by == "genres":
        assert found == pytest.approx({name: np.mean(own) for name, own in hits.items()})
        assert len(set(found.values())) > 1
    else:  # all histories are of one length: the groups are the users in thirds, in their order
        whole = np.array(accuracy_of(again, split))
        assert list(found.values()) == pytest.approx([part.mean() for part in np.array_split(whole, 3)])


def accuracy_of(model: ItemKNN, split: Split) -> list[bool]:
    ids = model.data_.items.ids
    return [
        ids[item] in model.recommend(split.train.user_ids[user], k=5)["item"].tolist()
        for user, item in zip(split.user.tolist(), split.item.tolist(), strict=True)
    ]


def test_explanations_of_a_group_are_those_of_its_users() -> None:
    """Everybody is asked, in one group of users: the mean over all first recommendations."""
    report = groups(fitted("hybrid"), by="length", k=5, sample=10_000)
    for row in report["rows"]:
        assert 0 < row["events"]["value"] <= 9
        assert row["del@5"]["value"] < row["del@1"]["value"] < 1
        assert -1 <= row["tau"]["value"] <= 1


def test_a_group_that_is_served_worse_is_named() -> None:
    """Long histories are led on, step by step; short ones go anywhere."""
    rng = np.random.default_rng(0)
    events = []
    for user in range(120):
        if user % 2:
            events += [(f"u{user}", f"i{(user + step) % 40}") for step in range(8)]
        else:
            events += [(f"u{user}", f"i{item}") for item in rng.permutation(40)[:3]]
    data = Interactions.from_frame(pd.DataFrame(events, columns=["user", "item"]), name="two kinds")
    report = groups(ItemKNN().fit(data), by="length", k=5, sample=5)
    (first, *_) = said(report)
    assert first.startswith("Served worst are “short”")
    best = report["rows"][2]["ndcg@5"]["value"]
    assert first.endswith(f"best “long” ({best:.3f}); the intervals do not overlap.")


def test_where_the_order_means_nothing_one_item_of_everybody_is_drawn() -> None:
    """By hand: the same draw, the same fit, and whose drawn item is in the list."""
    model = fitted("item knn")
    data = model.data_
    report = groups(model, by="length", k=5, sample=5, protocol="holdout", seed=2)
    held = one_per_user(data, np.random.default_rng(2))
    item = [set(data.item[data.events_of(user)][held[data.events_of(user)]].tolist()) for user in range(data.n_users)]
    assert {len(own) for own in item} == {1}
    last = [int(data.item[data.events_of(user)][-1]) for user in range(data.n_users)]
    assert np.mean([own == {end} for own, end in zip(item, last, strict=True)]) < 0.5, "not always the last"
    again = ItemKNN(n_neighbors=8).fit(data.select(~held))
    hits = [
        data.items.ids[own.pop()] in again.recommend(data.user_ids[user], k=5)["item"].tolist()
        for user, own in enumerate(item)
    ]
    n = [row["n"] for row in report["rows"]]
    assert np.average([row["hr@5"]["value"] for row in report["rows"]], weights=n) == pytest.approx(np.mean(hits))


def test_an_audit_knows_groups_that_no_model_reads() -> None:
    model = fitted("item knn")
    users = model.data_.user_ids
    people = {user: "ab"[n % 2] for n, user in enumerate(users[:-3])}
    report = groups(model, by="badge", k=5, sample=10, people=people)
    assert [row["group"] for row in report["rows"]] == ["a", "b"]
    assert sum(row["n"] for row in report["rows"]) == len(users) - 3
    with pytest.raises(InputError, match="`people` must name the group of a user who is asked; got 1 users"):
        groups(model, people={"nobody": "a"})


def test_refusals() -> None:
    model = fitted("item knn")
    with pytest.raises(InputError, match="`by` must be one of length, taste, item, genres; got 'nosuch'."):
        groups(model, by="nosuch")
    frame = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"]})
    with pytest.raises(InputError, match="a user of at least two events; got none."):
        groups(ItemKNN().fit(Interactions.from_frame(frame)), k=1)
    with pytest.raises(InputError, match="`k` must be"):
        groups(model, k=0)
    from xattn import ItemTable

    data = planted("genre", n_users=20, seed=0).data
    table = ItemTable(data.items.ids, data.items.titles, pd.DataFrame({"year": np.arange(40.0)}))
    dated = Interactions("dated", data.user_ids, table, data.indptr, data.item)
    with pytest.raises(InputError, match="`by` must be a column of categories; got the numbers of 'year'."):
        groups(ItemKNN().fit(dated), by="year")
