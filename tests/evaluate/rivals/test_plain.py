"""Rivals that need nothing, and what holds for all of them: no ledger, a package that may be missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from xattn import History, InputError, Interactions, ItemTable, NotFittedError
from xattn.data.synthetic import planted
from xattn.evaluate import evaluate
from xattn.evaluate.rivals import ALS, RIVALS, GenrePopularity, LastItems, Random, Rival, base


def films() -> Interactions:
    """Events: a (Drama) twice, b (Drama|War) once, c (War) three times; d (Drama) never."""
    frame = pd.DataFrame({"user": list("uuvvvv"), "item": list("abaccc")})
    kinds = pd.DataFrame({"genres": ["Drama", "Drama|War", "War", "Drama"]})
    return Interactions.from_frame(frame, ItemTable(tuple("abcd"), tuple("ABCD"), kinds))


def test_popularity_of_kinds_by_hand() -> None:
    """Drama: a 2, b 1, mean 1.5 (d was never met). War: b 1, c 3, mean 2."""
    model = GenrePopularity(weighted="none").fit(films())
    assert model.scores_of(History.of(films(), 0)).tolist() == [1.5, 1.75, 2.0, 1.5]


def test_kinds_count_as_often_as_the_history_has_them() -> None:
    """u had Drama twice and War once in two events: weights 1 and ½."""
    model = GenrePopularity().fit(films())
    history = History.of(films(), 0)
    assert model.scores_of(history).tolist() == [1.5, (1.5 + 0.5 * 2.0) / 2, 1.0, 1.5]
    assert model.scores_of(history.without([0, 1])).tolist() == [1.5, 1.75, 2.0, 1.5]


def test_random_is_another_order_for_each_history_and_the_same_again() -> None:
    model = Random().fit(films())
    one, two = (History.of(films(), user) for user in (0, 1))
    np.testing.assert_array_equal(model.scores_of(one), model.scores_of(one))
    assert (model.scores_of(one) != model.scores_of(two)).any()
    assert (model.scores_of(one) != Random(random_state=1).fit(films()).scores_of(one)).any()


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    wanted = r"The package implicit must be installed for ALS \(pip install 'xattn\[rivals\]'\); got none."
    with pytest.raises(InputError, match=wanted):
        ALS().fit(films())
    assert Random().fit(films()).scores_of(History.of(films(), 0)).shape == (4,)


def test_rivals_have_no_ledger_and_faithfulness_says_so() -> None:
    data = planted("genre", n_users=30, seed=0).data
    with pytest.raises(InputError, match="`models` must have ledgers with the protocol faithfulness; got Random."):
        evaluate(data, [Random()], protocol="faithfulness")
    assert not hasattr(Random(), "explain")


@pytest.mark.parametrize("protocol", ["next-item", "holdout", "rating", "cold"])
def test_rivals_take_part_in_every_protocol_of_scores(protocol: str) -> None:
    data = planted("genre", n_users=60, seed=0).data
    row = evaluate(data, [GenrePopularity()], protocol=protocol)["rows"][0]
    assert row["model"] == "GenrePopularity"


@pytest.mark.parametrize("kind", RIVALS.values())
def test_data_is_checked(kind: type[Rival], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "find_spec", lambda name: name)  # installed or not, data comes first
    with pytest.raises(InputError, match="`data` must be Interactions"):
        kind().fit([1, 2])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="`data` must hold at least one event; got none."):
        kind().fit(films().select(np.zeros(6, bool)))
    with pytest.raises(NotFittedError):
        kind().scores_of(History.of(films(), 0))


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (GenrePopularity(weighted="all"), "`weighted` must be one of none, own; got 'all'."),
        (LastItems(last=0), "`last` must be a whole number >= 1; got 0."),
        (Random(random_state=-1), "`random_state` must be a whole number >= 0; got -1."),
    ],
)
def test_wrong_parameters_get_one_sentence(model: Rival, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        model.fit(films())


def test_the_nearest_to_the_last_items_by_hand() -> None:
    """a has users u, v; b u; c v. With one user in common and the shrinkage of 1: a b 1/(√2·1 + 1)."""
    frame = pd.DataFrame({"user": list("uuvv"), "item": list("abac")})
    data = Interactions.from_frame(frame, ItemTable.bare(list("abcd")))
    model = LastItems(last=1, features=0.0).fit(data)
    near = 1 / (2**0.5 + 1)
    np.testing.assert_allclose(model.scores_of(History.of(data, 0)), [near, 0.5, 0.0, 0.0], atol=1e-8)
    both = LastItems(last=2, features=0.0).fit(data).scores_of(History.of(data, 0))
    np.testing.assert_allclose(both, [near + 0.5 * 2 / 3, 0.5 + 0.5 * near, 0.5 * near, 0.0], atol=1e-8)
    nothing = History.of(data, 0).without([0, 1])
    assert np.argsort(-model.scores_of(nothing))[0] == 0  # the most popular


def test_alike_features_count_beside_users_in_common() -> None:
    model = LastItems(last=1, features=1.0).fit(films())
    plain = LastItems(last=1, features=0.0).fit(films())
    history = History.of(films(), 0)  # the last is b: Drama and War
    more = model.scores_of(history) - plain.scores_of(history)
    np.testing.assert_allclose(more, [0.5**0.5, 1.0, 0.5**0.5, 0.5**0.5])
