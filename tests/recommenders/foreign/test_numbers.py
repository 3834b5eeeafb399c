"""The numbers of wrapped models: ledgers that add up, removals that happen, and what each kind is by its definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from tests.recommenders.foreign.models import data, ease, factors, fading, neighbours
from xattn import Ledger, wrap
from xattn.data import History
from xattn.progress import told_to
from xattn.recommenders import Recommender
from xattn.testing.texts import mismatches

USERS = 100
MADE: dict[str, Callable[[], Recommender]] = {
    "matrix": lambda: wrap(ease(data()), data()),
    "sparse": lambda: wrap(neighbours(data()), data()),
    "factors": lambda: wrap(factors(data()), data()),
    "arrival": lambda: wrap(fading(data()), data()),
    "average": lambda: wrap(fading(data()), data(), kind="average", budget=100),
}


def ledgers(model: Recommender, users: int = USERS) -> list[Ledger]:
    """The explanation of the first item of each user's list."""
    ids = data().user_ids[:users]
    return [model.explain(user, model.recommend(user, k=1)["item"][0], k=3) for user in ids]


@pytest.mark.parametrize("name", MADE)
def test_base_and_cells_are_the_served_score_and_what_is_announced_happens(name: str) -> None:
    model = MADE[name]()
    for user in data().user_ids[:USERS]:
        history = model.history(user)
        served = model.scores_of(history)
        target = int(np.argmax(served))
        amounts = sum(float(head.contribution.sum()) for head in model.cells_of(history, target))
        assert abs(model.base_[target] + amounts - served[target]) <= 1e-5
        announced = model.scores_without_each(history, np.array([target]))[0]
        again = [model.scores_of(history.without([position]))[target] for position in range(len(history))]
        np.testing.assert_allclose(announced, again, atol=1e-5)
    for why in ledgers(model, 8):
        served = model.scores_of(why.history)
        assert abs(why.base + why.cells["contribution"].sum() - served[why.question.target]) <= 1e-5
        for row in why.removals().itertuples():
            left = model.explain(history=why.history.without([row.position]), item=why.item, k=3)
            assert abs(left.score - row.score_without) <= 1e-5
            assert left.rank == row.rank_without
        found = why.counterfactual()
        assert not found.found or len(found.remove) == found.at_least or not found.exact
        if found.found:
            listed = model.recommend(history=why.history.without(list(found.positions)), k=3)
            assert why.item not in set(listed["item"])


@pytest.mark.parametrize("name", MADE)
def test_the_words_are_true_and_speak_of_no_attention_and_no_popularity(name: str) -> None:
    model = MADE[name]()
    for why in ledgers(model, 3):
        for lang, banned in (("en", ("attention", "popular")), ("zh", ("注意力", "热门"))):
            for depth in ("clause", "sentence", "paragraph"):
                text = why.text(lang, depth)
                assert mismatches(why, lang, depth) == []
                assert not any(word in text for word in banned), text
                own = {"arrival": ("arrived", "rose", "到来", "上升"), "average": ("average", "平均")}.get(why.amounts)
                assert own is None or any(word in text for word in own), text
        assert why.amounts == {"matrix": "sum", "sparse": "sum", "factors": "sum"}.get(name, name)
        assert why.to_dict()["amounts"] == why.amounts


def test_a_text_of_another_kind_of_ledger_is_not_believed() -> None:
    arrival, average = (ledgers(MADE[name](), 1)[0] for name in ("arrival", "average"))
    with pytest.raises(ValueError, match="`text` must be one that a ledger gives"):
        mismatches(average, "en", "clause", text=arrival.text("en", "clause"))


def test_comparisons_and_whole_lists_work_and_say_no_more() -> None:
    model = MADE["arrival"]()
    a, b = ledgers(model, 2)
    difference = a - b
    assert abs(difference.cells["difference"].sum() - (a.score - b.score)) < 1e-12
    assert "without any history" in difference.text()
    user = data().user_ids[0]
    last = model.recommend(user, k=30)["item"].iloc[-1]
    assert model.explain(user, last, k=3).why_not().rank > 3


# --- matrices ---------------------------------------------------------------------------------------------------------


def test_a_matrix_is_a_sum_over_the_history() -> None:
    B, base = ease(data()), np.linspace(0, 1, data().n_items)
    model = wrap(B, data(), base=base)
    history = History.of(data(), 7)
    np.testing.assert_allclose(model.scores_of(history), base + B[history.item].sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(
        wrap(sparse.csr_array(B), data(), base=base).scores_of(history), model.scores_of(history), atol=1e-12
    )
    why = model.explain(history=history, item=data().items.ids[3])
    np.testing.assert_allclose(why.cells["contribution"], B[history.item, 3], atol=1e-12)
    assert why.base == base[3]


@pytest.mark.parametrize("name", ["matrix", "factors", "function"])
def test_items_in_another_order_are_found_by_their_ids(name: str) -> None:
    order = np.random.default_rng(3).permutation(data().n_items)
    ids = [data().items.ids[j] for j in order.tolist()] + ["not in the data"]
    more = np.append(order, 0)  # one item more than the data has
    B, plain = ease(data()), factors(data())
    other: Any
    if name == "matrix":
        model, other = wrap(B, data()), B[more][:, more]
    elif name == "factors":
        other = plain._replace(vectors=np.vstack([np.asarray(plain.vectors)[order], np.zeros(6)]))
        model = wrap(plain, data())
    else:

        def other(histories: list[np.ndarray]) -> np.ndarray:
            return fading(data())([order[one] for one in histories])[:, more]

        model = wrap(fading(data()), data())
    shuffled = wrap(other, data(), items=ids)
    for user in data().user_ids[:20]:
        np.testing.assert_allclose(shuffled.score(user), model.score(user), atol=1e-12)


# --- factors ----------------------------------------------------------------------------------------------------------


def folded(history: History, d: int = 6) -> np.ndarray:
    """Hu, Koren and Volinsky's equation 4, with the whole confidence matrix: x = (YᵀCY + λI)⁻¹ Yᵀ C p."""
    model = factors(data(), d)
    Y, p = np.asarray(model.vectors), np.zeros(data().n_items)
    p[history.item[history.live]] = 1.0
    C = np.diag(1.0 + (model.alpha - 1.0) * p)
    x = np.linalg.solve(Y.T @ C @ Y + model.regularization * np.eye(d), Y.T @ C @ p)
    return np.asarray(Y @ x)


def test_folding_in_is_the_equation_of_the_paper() -> None:
    model = MADE["factors"]()
    for user in range(20):
        history = History.of(data(), user).without([1])
        np.testing.assert_allclose(model.scores_of(history), folded(history), atol=1e-10)


def test_what_is_left_without_an_event_is_not_the_sum_of_the_other_terms() -> None:
    why = ledgers(MADE["factors"](), 1)[0]
    events = why.events()
    assert np.abs(events["effect"] + events["contribution"]).max() > 1e-3
    without = folded(why.history.without([int(events["position"][0])]))[why.question.target]
    assert abs(events["score_without"][0] - without) < 1e-10


# --- functions --------------------------------------------------------------------------------------------------------


def test_arrivals_are_differences_of_the_scores_of_beginnings() -> None:
    scores = fading(data())
    why = ledgers(MADE["arrival"](), 1)[0]
    rows, j = why.history.item, why.question.target
    beginnings = scores([rows[:n] for n in range(len(rows) + 1)])[:, j]
    np.testing.assert_allclose(why.cells["contribution"], np.diff(beginnings), atol=1e-15)


def test_a_function_is_asked_once_about_a_history_and_in_batches() -> None:
    asked: list[int] = []
    inner = fading(data())

    def scores(histories: list[np.ndarray]) -> np.ndarray:
        asked.append(len(histories))
        return inner(histories)

    model = wrap(scores, data(), batch_size=4, items=data().items.ids)
    user = data().user_ids[0]
    item = model.recommend(user, k=1)["item"][0]
    asked.clear()
    why = model.explain(user, item)
    why.removals()
    n = len(why.history)
    once = sum(asked)
    assert once == (n - 1) + (n - 1)  # beginnings, and the history without each: its last beginning is among them
    assert max(asked) == 4
    model.explain(user, model.recommend(user, k=2)["item"][1]).removals()
    assert sum(asked) == once


@pytest.mark.parametrize("kind", ["arrival", "average"])
def test_whoever_waits_hears_how_far_a_slow_model_has_been_asked(kind: str) -> None:
    options: dict[str, Any] = {"budget": 100} if kind == "average" else {}
    model = wrap(fading(data()), data(), kind=kind, batch_size=2, **options)
    user = data().user_ids[3]
    item = model.recommend(user, k=1)["item"][0]
    heard: list[tuple[str, list[float]]] = []

    def hear(name: str) -> Callable[[str, float], None]:
        heard.append((name, []))
        return lambda what, share: heard[-1][1].append(share)

    with told_to(hear("ledger")):
        why = model.explain(user, item)
    why.removals(progress=hear("removals"))
    why.strongest(3, progress=hear("strongest"))
    n = len(why.history)
    for name, shares in heard:
        assert len(shares) >= n // 2 - 1, name
        assert shares == sorted(shares)
        assert 0.0 <= shares[0] < 0.2
        assert 0.6 < shares[-1] < 1.0 or name == "strongest"
    heard.clear()
    assert why.removals(progress=hear("again")) is not None
    assert heard == [("again", [])], "what was asked is kept"


def test_one_pass_is_taken_where_it_gives_what_the_beginnings_do() -> None:
    from xattn.recommenders.foreign.asking import Asked, Foreign
    from xattn.recommenders.foreign.probes import goes_along, probes_of

    scores = fading(data())
    M = data().n_items

    def along(rows: np.ndarray) -> np.ndarray:
        return scores([rows[: n + 1] for n in range(len(rows))])

    def late(rows: np.ndarray) -> np.ndarray:
        return along(rows[::-1])

    for way, holds in ((along, True), (late, False), (None, False)):
        asked = Asked(Foreign("f", scores, way), data().items.ids, np.arange(M), M, 16)
        assert goes_along(asked, probes_of(data())) is holds


def test_ids_and_tables_reach_a_function_that_wants_them() -> None:
    B, ids = ease(data()), data().items.ids
    row = {item: j for j, item in enumerate(ids)}

    def by_ids(histories: list[list[str]]) -> np.ndarray:
        return np.array([sum((B[row[item]] for item in one), np.zeros(len(B))) for one in histories])

    def by_table(X: sparse.csr_matrix) -> np.ndarray:
        return np.asarray(X @ B)

    model = wrap(B, data())
    for function, events_as in ((by_ids, "ids"), (by_table, "table")):
        wrapped = wrap(function, data(), events_as=events_as)
        for user in data().user_ids[:5]:
            np.testing.assert_allclose(wrapped.score(user), model.score(user), atol=1e-12)


def test_a_model_is_fitted_to_other_data_by_train_alone() -> None:
    from xattn import InputError
    from xattn.evaluate import evaluate

    half = data().select(data().user < 100)
    model = wrap(None, data(), train=ease)
    assert evaluate(data(), [model], protocol="next-item")["rows"][0]["model"] == "WrappedItems"
    fixed = wrap(ease(data()), data())
    assert fixed.fit(data()) is fixed
    with pytest.raises(InputError, match="`train` must be given to `wrap`"):
        fixed.fit(half)
    np.testing.assert_array_equal(fixed.score("u0"), wrap(ease(data()), data()).score("u0"))


def test_it_is_held_against_our_own_model() -> None:
    from xattn import EASE

    own, wrapped = EASE(regularization=10.0, dtype="float64").fit(data()), MADE["matrix"]()
    for user in data().user_ids[:20]:
        np.testing.assert_allclose(own.score(user), wrapped.score(user), atol=1e-8)
        a, b = (one.explain(user, data().items.ids[5]) for one in (own, wrapped))
        np.testing.assert_allclose(a.cells["contribution"], b.cells["contribution"], atol=1e-8)
