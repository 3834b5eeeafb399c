"""The next-item protocol on data where the right answer is known."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from xattn import CollaborativeAttention, History, InputError, Interactions, ItemKNN, Popularity
from xattn.data.split import leave_last_out
from xattn.evaluate import PROTOCOLS, evaluate
from xattn.evaluate.next_item import strict_questions
from xattn.evaluate.questions import Questions, questions_told
from xattn.evaluate.ranking import rank
from xattn.evaluate.setup import Setup
from xattn.evaluate.validation import VALIDATIONS

KEYS = [
    "model",
    "ndcg@10",
    "hr@10",
    "recall@10",
    "precision@10",
    "map@10",
    "mrr",
    "coverage",
    "diversity",
    "novelty",
    "popularity_bias",
    "ci95",
    "versus_first",
    "fit_s",
    "score_s",
    "peak_mb",
]


def chain() -> Interactions:
    """Item i leads to item i + 1, and item 39 to item 0; each user takes nine steps from a place of their own."""
    steps = [(f"u{u}", f"i{((u * 2654435761 >> 16) + t) % 40}") for u in range(200) for t in range(9)]
    return Interactions.from_frame(pd.DataFrame(steps, columns=["user", "item"]), name="chain")


def test_the_shape_of_a_result() -> None:
    data = chain()
    result = evaluate(data, [Popularity(), ItemKNN()])
    assert list(result) == ["protocol", "dataset", "users", "items", "events", "k", "seen", "questions", "rows"]
    assert (result["users"], result["items"], result["events"]) == (data.n_users, data.n_items, data.n_events)
    assert [row["model"] for row in result["rows"]] == ["Popularity", "ItemKNN"]
    for row in result["rows"]:
        assert list(row) == KEYS
        assert row["hr@10"] == row["recall@10"] >= row["ndcg@10"] >= 0
        for metric, (low, high) in row["ci95"].items():
            assert low <= row[metric] <= high
        assert row["fit_s"] >= 0 < row["peak_mb"]


def test_a_model_that_knows_wins() -> None:
    models = {"chain": lambda: CollaborativeAttention(recency=(0.5,), min_events=1, regularization=1.0)}
    rows = evaluate(chain(), models | {"Popularity": Popularity})["rows"]
    assert rows[0]["hr@10"] > 0.95
    assert rows[1]["hr@10"] < rows[0]["hr@10"] - 0.1


def test_nothing_of_the_test_reaches_the_fit() -> None:
    """Changing every target leaves the fitted model, and so every score, bit for bit as it was."""
    data = chain()
    split = leave_last_out(data)
    changed = data.item.copy()
    changed[split.target_event_index] = 0
    other = Interactions(data.name, data.user_ids, data.items, data.indptr, changed, data.rating, data.time)
    first, second = (ItemKNN().fit(leave_last_out(d).train) for d in (data, other))
    np.testing.assert_array_equal(first.score("u3"), second.score("u3"))


def test_seen_items_are_no_candidates_and_a_repeated_target_has_no_rank() -> None:
    rows = [("u", item) for item in ["a", "b", "c", "a"]] + [("v", item) for item in ["a", "b", "d"]]
    data = Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item"]), name="tiny")
    split = leave_last_out(data)
    histories = [History.of(split.train, user) for user in split.user]
    model = Popularity().fit(split.train)
    ranks, lists = rank(model, Questions(split.train, histories, list(split.item[:, None])), k=4)
    seen = [{"a", "b", "c"}, {"a", "b"}]
    for row, known in zip(lists, seen, strict=True):
        assert not {data.items.ids[j] for j in row} & known
    assert ranks[0].tolist() == [np.inf]  # the target, a, was met before; d is the one candidate
    assert len(lists[0]) == 1
    ranks, lists = rank(model, Questions(split.train, histories, list(split.item[:, None]), seen="keep"), k=4)
    assert ranks[0].tolist() == [2.0]  # a and b come first, and a tie counts against the target
    assert len(lists[0]) == 4


def test_the_seed_sets_the_intervals_alone() -> None:
    one, two, again = (evaluate(chain(), [Popularity()], seed=seed)["rows"][0] for seed in (1, 2, 1))
    assert one["ci95"] == again["ci95"] != two["ci95"]
    assert one["ndcg@10"] == two["ndcg@10"]


def test_the_core_keeps_what_has_enough_events() -> None:
    result = evaluate(chain(), [Popularity()], min_events=9)
    assert result["events"] <= chain().n_events
    with pytest.raises(InputError, match="must"):
        evaluate(chain(), [Popularity()], min_events=10**6)


def test_lists_are_cut_at_k() -> None:
    row = evaluate(chain(), [Popularity()], k=3)["rows"][0]
    assert "ndcg@3" in row
    assert row["coverage"] < 1


def test_progress_is_told() -> None:
    told: list[tuple[str, float]] = []
    evaluate(chain(), [Popularity(), ItemKNN()], progress=lambda what, share: told.append((what, share)))
    assert told[0] == ("Popularity", 0.0)
    assert told[-1][1] == 1.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"protocol": "nosuch"}, f"`protocol` must be one of {', '.join(PROTOCOLS)}"),
        ({"models": []}, "`models` must hold at least one model; got none."),
        ({"k": 0}, "`k` must be"),
        ({"k": 41}, "`k` must be"),
        ({"min_events": 0}, "`min_events` must be"),
        ({"seed": -1}, "`seed` must be"),
        ({"positive": 3.5}, "`positive` must be left out with the protocol next-item; got 3.5."),
        ({"positive": float("nan"), "protocol": "holdout"}, "`positive` must be a finite number; got nan."),
        ({"protocol": "given"}, "`test` must be given with the protocol given; got none."),
        ({"test": chain()}, "`test` must be left out with the protocol next-item; got one."),
        ({"history": chain()}, "`history` must be left out with the protocol next-item; got one."),
        ({"test": "file.csv", "protocol": "given"}, "`test` must be Interactions; got 'file.csv'."),
        ({"data": None}, "`data` must be Interactions; got None."),
        ({"protocol": "time"}, "`data` must hold times for the protocol time; got none."),
        ({"protocol": "rating"}, "`data` must hold ratings on a scale for the protocol rating; got none."),
    ],
)
def test_wrong_arguments_get_one_sentence(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        evaluate(**({"data": chain(), "models": [Popularity()]} | arguments))  # type: ignore[arg-type]


def test_data_without_a_second_event_is_refused() -> None:
    data = Interactions.from_frame(pd.DataFrame({"user": ["u", "v"], "item": ["a", "b"]}), name="short")
    with pytest.raises(InputError, match="a user with at least two events; got none"):
        evaluate(data, [Popularity()], k=1)


def test_diversity_is_nan_without_features_and_says_so() -> None:
    frame = pd.DataFrame({"user": ["u", "u", "v", "v"], "item": ["a", "b", "b", "a"]})
    row = evaluate(Interactions.from_frame(frame, name="bare"), [Popularity()], k=1)["rows"][0]
    assert math.isnan(row["diversity"])


# --- strict -----------------------------------------------------------------------------------------------------------


class Remembers(Popularity):
    """Popularity that keeps which histories it was asked about."""

    asked: ClassVar[list[list[str]]] = []

    def scores_of(self, history: History) -> np.ndarray:
        Remembers.asked.append([self.data_.items.ids[j] for j in history.item])
        return super().scores_of(history)

    def scores_of_many(self, histories: list[History]) -> np.ndarray:
        return np.array([self.scores_of(history) for history in histories])


def short() -> Interactions:
    rows = [("u", "a b c d"), ("v", "b c"), ("w", "a b x b"), ("y", "c b z z"), ("t", "a c q r")]
    lines = [(user, item, t) for user, items in rows for t, item in enumerate(items.split())]
    return Interactions.from_frame(pd.DataFrame(lines, columns=["user", "item", "time"]), name="short")


def test_strict_learns_from_all_but_the_last_two_and_asks_after_the_last_but_one() -> None:
    """x, z, q, r, d are met in nobody's training, so no catalogue holds them; of v nothing is asked."""
    questions = strict_questions(short())
    train = questions.train
    learned = {user: [train.items.ids[j] for j in train.item[train.events_of(row)]]
               for row, user in enumerate(train.user_ids)}  # fmt: skip
    assert learned == {"u": ["a", "b"], "v": ["b"], "w": ["a", "b"], "y": ["c", "b"], "t": ["a", "c"]}
    histories = [[train.items.ids[j] for j in history.item] for history in questions.histories]
    assert histories == [["a", "b", "c"], ["a", "c"]]  # of u and of t, whose q nobody holds
    assert [history.user for history in questions.histories] == [0, 4]
    assert questions.missed == [1, 1]
    assert questions.counts == (2, 2, 2)  # b of w and the second z of y had been met before
    kept = strict_questions(short(), "keep")
    assert [len(history) for history in kept.histories] == [3, 2, 2, 2]
    assert kept.counts == (4, 0, 3)


def test_strict_tells_the_difference_and_counts_what_nobody_could_find() -> None:
    result = evaluate(short(), [Popularity()], protocol="strict", k=2)
    assert (result["protocol"], result["users"], result["rows"][0]["mrr"]) == ("strict", 2, 0.0)
    assert result["questions"] == {"targets": 2, "met_before": 2, "not_held": 2, "repeats": 0}
    assert questions_told(result)[0].startswith("Strict: the last event but one stands in the history")
    assert "last event but one" not in " ".join(questions_told(evaluate(short(), [Popularity()], k=2)))


def test_strict_asks_with_the_newest_event_of_the_history() -> None:
    Remembers.asked = []
    evaluate(short(), [Remembers()], protocol="strict", k=2)
    assert Remembers.asked == [["a", "b", "c"], ["a", "c"]]


def test_a_setting_chosen_for_strict_is_chosen_on_what_it_has_learned_from() -> None:
    asked = VALIDATIONS["strict"](short(), Setup(10, 0))
    assert asked.train.item.tolist() == strict_questions(short()).train.item.tolist()
    assert max(len(history) for history in asked.histories) == 2


def test_strict_is_harder_where_the_last_event_but_one_teaches_what_follows() -> None:
    """Only the last but one events hold the pair p, q: next-item learns it, strict cannot."""
    lines = [(f"u{u}", item, t) for u in range(60) for t, item in enumerate([f"i{u % 20}", "p", "q"] if u % 2 else
             [f"i{u % 20}", f"i{(u + 5) % 20}", "p", "q", "i3"])]  # fmt: skip
    data = Interactions.from_frame(pd.DataFrame(lines, columns=["user", "item", "time"]), name="pairs")
    model = lambda: CollaborativeAttention(recency=(0.5,), min_events=1, regularization=1.0)  # noqa: E731
    strict_row, next_row = (
        evaluate(data, {"m": model}, protocol=protocol)["rows"][0] for protocol in ("strict", "next-item")
    )
    assert strict_row["ndcg@10"] <= next_row["ndcg@10"]


def test_strict_needs_a_user_with_three_events() -> None:
    data = Interactions.from_frame(pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"]}), name="two")
    with pytest.raises(InputError, match="a user with at least three events; got none"):
        evaluate(data, [Popularity()], protocol="strict", k=1)
