"""Friends in user attention: one softmax with a bonus, a group in the ledger, never a name."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import assert_adds_up, assert_removals_hold
from xattn import DataError, History, InputError, Interactions, UserAttention, load_model
from xattn.data.friends import friend_pairs, friends_of
from xattn.data.synthetic import planted

DATA = planted("genre", n_users=30, seed=4).data
PAIRS = [(f"u{a}", f"u{b}") for a in range(6) for b in range(a + 1, 20)]


def naive(data: Interactions, history: History, pairs: np.ndarray, bonus: float, T: float) -> np.ndarray:
    """Scores by loops over people, from the equations; data without ratings."""
    U, M = data.n_users, data.n_items
    R = np.zeros((U, M))
    R[data.user, data.item] = 1.0
    base = R.mean(axis=0)
    own = set(history.item[history.live].tolist())
    friends = {b for a, b in pairs.tolist() if a == history.user}
    logits = {}
    for v in range(U):
        shared = [i for i in own if R[v, i]]
        if v != history.user and shared:
            size = np.sqrt(R[v].sum()) * np.sqrt(len(history))
            logits[v] = sum(1 / size for _ in shared) + bonus * (v in friends)
    if not logits:
        return base
    top = max(logits.values())
    a = {v: np.exp((x - top) / T) for v, x in logits.items()}
    total = sum(a.values())
    return base + sum(x / total * (R[v] - base) for v, x in a.items())


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.05, 1.0]))
def test_scores_are_those_of_the_equations(seed: int, bonus: float) -> None:
    rng = np.random.default_rng(seed)
    U, M = 12, 8
    rows = [(f"u{u}", f"i{i}") for u in range(U) for i in rng.choice(M, 4, replace=False)]
    data = Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item"]))
    pairs = [(f"u{a}", f"u{b}") for a, b in rng.integers(0, U, (15, 2)) if a != b] or [("u0", "u1")]
    model = UserAttention(temperature=0.1, friends=pairs, friend_bonus=bonus).fit(data)
    for user in range(0, U, 3):
        history = History.of(data, user).without([int(rng.integers(4))])
        expected = naive(data, history, model.friends_, bonus, 0.1)
        np.testing.assert_allclose(model.scores_of(history), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("bonus", [0.0, 0.05, 10.0])
def test_sums_and_removals_hold_and_friends_are_a_group(bonus: float) -> None:
    model = UserAttention(temperature=0.1, friends=PAIRS, friend_bonus=bonus).fit(DATA)
    for user, target in ((0, 3), (3, 17), (25, 3)):
        history = History.of(DATA, user).without([2])
        served = float(model.scores_of(history)[target])
        why = model.explain(history=history, item=DATA.items.ids[target])
        assert_adds_up(why, served, False)
        assert_removals_hold(model, history, target, False)
        assert ("friends" in set(why.cells["head"])) == (user < 6)
        for lang in ("en", "zh"):
            told = json.dumps(why.to_dict(), ensure_ascii=False) + why.text(lang) + why.to_html(lang)
            assert not any(f'"{name}"' in told for name in DATA.user_ids if name != DATA.user_ids[user])


def test_without_a_bonus_nothing_but_the_groups_changes() -> None:
    plain, with_friends = UserAttention().fit(DATA), UserAttention(friends=PAIRS, friend_bonus=0.0).fit(DATA)
    for user in DATA.user_ids[:8]:
        np.testing.assert_allclose(with_friends.score(user), plain.score(user), rtol=0, atol=1e-14)


def test_one_or_two_friends_are_no_group() -> None:
    model = UserAttention(temperature=0.5, friends=[("u0", "u1"), ("u0", "u2")], friend_bonus=0.5).fit(DATA)
    why = model.explain(user="u0", item="i3")
    assert set(why.cells["head"]) == {"neighbours"}


def test_files_growth_and_forgetting(tmp_path) -> None:
    settings_ = {"temperature": 0.1, "friend_bonus": 0.2}
    model = UserAttention(**settings_, friends=PAIRS).fit(DATA)
    model.save(tmp_path / "model.npz")
    again = load_model(tmp_path / "model.npz")
    assert again.friends is None
    assert again.fingerprint() == model.fingerprint()
    np.testing.assert_array_equal(again.score("u3"), model.score("u3"))
    new = Interactions.from_frame(
        pd.DataFrame({"user": ["u3", "n"], "item": ["i1", "i2"], "rating": [5, 1], "time": [99, 99]})
    )
    whole = UserAttention(**settings_, friends=PAIRS).fit(DATA.extended(new))
    for one in (again, model):
        one.partial_fit(new)
        np.testing.assert_allclose(one.score("u3"), whole.score("u3"), rtol=0, atol=1e-12)
    rest = UserAttention(**settings_, friends=[pair for pair in PAIRS if "u4" not in pair])
    rest.fit(DATA.extended(new).without_users(["u4"]))
    for one in (again, model):
        one.forget(["u4"])
        assert one.fingerprint() == rest.fingerprint()
        assert one.friends is None or not any("u4" in pair for pair in one.friends)


def test_tables_of_friends(tmp_path) -> None:
    path = tmp_path / "friends.csv"
    path.write_text("node_1,node_2,since\nu0,u1,2010\nu1,u0,2011\nu2,u2,2012\nu5,elsewhere,2013\nu7,u3,2014\n")
    pairs = friend_pairs(path, DATA)
    names = [(DATA.user_ids[a], DATA.user_ids[b]) for a, b in pairs.tolist()]
    assert set(names) == {("u0", "u1"), ("u1", "u0"), ("u7", "u3"), ("u3", "u7")}
    assert [DATA.user_ids[row] for row in friends_of(pairs, DATA.user_row("u7"))] == ["u3"]
    frame = pd.read_csv(path)
    np.testing.assert_array_equal(friend_pairs(frame, DATA), pairs)


@pytest.mark.parametrize(
    "wrong", [[("u0",)], ["u0", "u1"], 5, [], [("x", "y")], "nosuch.csv", pd.DataFrame({"a": ["u0"]})]
)
def test_what_is_no_table_of_friends_is_refused(wrong) -> None:
    with pytest.raises((InputError, DataError)) as problem:
        UserAttention(friends=wrong).fit(DATA)
    assert "\n" not in str(problem.value)
    with pytest.raises(InputError, match="friend_bonus"):
        UserAttention(friend_bonus=-1.0).fit(DATA)
