"""The contract of all recommenders as a class of tests: what `fit`, `recommend`, `explain` and `save` promise.

Subclass it, say how a model is made, and let pytest find the class:

    class TestMyModel(RecommenderContract):
        def make(self):
            return MyModel()

Every test runs on every shape of data in `xattn.testing.data`. Events are named by their position in the history, since
an item may be met many times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.base import clone

from xattn.data import History
from xattn.errors import InputError, NotFittedError, UnknownIdError
from xattn.recommenders import Recommender, load_model
from xattn.testing.data import SHAPES, data_of
from xattn.testing.texts import mismatches

__all__ = ["RecommenderContract"]

QUESTIONS = 12  # histories that are asked about in each test of numbers
LISTED = 8


class Stopped(Exception):
    """Raised in the middle of a fit."""


@pytest.mark.parametrize("shape", tuple(SHAPES))
class RecommenderContract:
    """What every recommender promises, a test a promise.

    `tolerance` is how far a sum of cells may be from the score, relative to the larger of 1 and the score: 1e-5 suits
    values in float32. `knows_users` is True for models to which a known user is more than a history: to whom similar
    users are looked up, say.
    """

    tolerance: float = 1e-10
    knows_users: bool = False
    _kept: ClassVar[dict[str, Recommender]]

    def make(self) -> Recommender:
        """A model that was not fitted yet; each call makes the same."""
        raise NotImplementedError

    def fitted(self, shape: str) -> Recommender:
        """The model on the data of one shape, fitted once for each contract. Tests do not change it."""
        kept = type(self).__dict__.get("_kept")
        if kept is None:
            kept = type(self)._kept = {}
        if shape not in kept:
            kept[shape] = self.make().fit(data_of(shape))
        return kept[shape]

    def near(self, score: float) -> float:
        """How far from `score` is close enough."""
        return self.tolerance * max(1.0, abs(score))

    def questions(self, shape: str) -> Iterator[tuple[Recommender, History, int]]:
        """Histories of known users and of people who are not known, with repeats, some events masked; and a target."""
        model, rng = self.fitted(shape), np.random.default_rng(7)
        data = model.data_
        for number in range(QUESTIONS):
            if number % 3 == 0:
                history = History.of(data, int(rng.integers(data.n_users)))
            else:
                n = int(rng.integers(1, 10))
                items = rng.choice(rng.integers(0, data.n_items, max(1, n - 2)), n)
                rating = None if data.rating is None else rng.choice([*np.unique(data.rating)[:3], 5.0], n)
                kind = None if data.kind is None else rng.choice(data.kind, n)
                history = History(items, rating, np.arange(n)[::-1], np.ones(n, bool), kind=kind)
            seen = history.without(np.flatnonzero(rng.random(len(history)) < 0.2))
            yield model, seen, int(rng.integers(data.n_items))

    def a_user(self, shape: str) -> str:
        """A user with a history that leaves something to recommend."""
        data = data_of(shape)
        return data.user_ids[int(np.argmax(np.diff(data.indptr)))]

    # --- lists --------------------------------------------------------------------------------------------------------

    def test_a_list_holds_the_best_unseen_items_in_order_of_score_then_of_rows(self, shape: str) -> None:
        for model, history, _ in self.questions(shape):
            scores, open_ = model.scores_of(history), np.ones(model.data_.n_items, bool)
            assert scores.shape == (model.data_.n_items,)
            assert np.isfinite(scores).all()
            open_[history.item] = False
            want = [j for j in np.argsort(-scores, kind="stable").tolist() if open_[j]][:LISTED]
            listed = model.recommend(history=history, k=LISTED)
            assert listed.columns.tolist() == ["rank", "item", "title", "score", "base"]
            assert listed["item"].tolist() == [model.data_.items.ids[j] for j in want]
            assert listed["rank"].tolist() == list(range(1, len(want) + 1))
            np.testing.assert_array_equal(listed["score"], scores[want])
            np.testing.assert_array_equal(listed["base"], model.base_[want])

    def test_what_was_met_may_be_listed_again_and_all_that_is_said_of_it_is_served(self, shape: str) -> None:
        for model, history, _ in self.questions(shape):
            scores, ids = model.scores_of(history), model.data_.items.ids
            whole: dict[str, Any] = {"k": model.data_.n_items, "seen": "keep"}
            listed = model.recommend(history=history, **whole)
            assert listed["item"].tolist() == [ids[j] for j in np.argsort(-scores, kind="stable")]
            own = sorted({ids[j] for j in history.item.tolist()})
            for item in own[:2]:
                why = model.explain(item=item, history=history, k=LISTED, seen="keep")
                assert why.rank == listed["item"].tolist().index(item) + 1
                for row in why.removals().itertuples():
                    after = model.recommend(history=history.without(history.alike([row.position])), **whole)  # type: ignore[list-item]
                    found = after[after["item"] == item].iloc[0]
                    assert found["rank"] == row.rank_without
                    assert abs(found["score"] - row.score_without) <= self.near(found["score"])
                found = why.counterfactual()
                if found.found:
                    left = model.recommend(history=history.without(list(found.positions)), k=LISTED, seen="keep")
                    assert item not in set(left["item"])

    def test_what_is_excluded_or_no_candidate_is_not_listed_and_the_others_keep_their_order(self, shape: str) -> None:
        model, user = self.fitted(shape), self.a_user(shape)
        whole = model.recommend(user, k=model.data_.n_items)["item"].tolist()
        assert model.recommend(user, k=40, exclude=whole[:3])["item"].tolist() == whole[3:]
        assert model.recommend(user, k=40, candidates=reversed(whole[4:9]))["item"].tolist() == whole[4:9]
        assert model.recommend(user, k=40, candidates=whole[:4], exclude=whole[:4]).empty

    def test_many_lists_at_once_are_each_list_alone(self, shape: str) -> None:
        model = self.fitted(shape)
        users = list(model.data_.user_ids[:6])
        many = model.recommend_many(users, k=LISTED)
        kept = model.recommend_many(users, k=LISTED, seen="keep")
        for user in users:
            for whole, seen in ((many, "drop"), (kept, "keep")):
                alone = model.recommend(user, k=LISTED, seen=seen)
                own = whole[whole["user"] == user].drop(columns="user").reset_index(drop=True)
                np.testing.assert_array_equal(own.to_numpy(), alone.to_numpy())

    def test_a_known_user_is_served_as_somebody_with_the_same_history(self, shape: str) -> None:
        if self.knows_users:
            pytest.skip("this model knows its users by more than their history")
        model = self.fitted(shape)
        for user in range(0, model.data_.n_users, 9):
            own = History.of(model.data_, user)
            np.testing.assert_array_equal(model.scores_of(own), model.scores_of(replace(own, user=None)))

    def test_somebody_new_needs_no_fit(self, shape: str) -> None:
        model = self.fitted(shape)
        known = [model.data_.items.ids[row] for row in (3, 8)]
        listed = model.recommend(history=[*known, "no such item"], k=3)
        assert len(listed) == 3
        assert not set(known) & set(listed["item"])
        assert model.history(history=[*known, "no such item"]).unknown == ("no such item",)

    # --- ledgers ------------------------------------------------------------------------------------------------------

    def test_a_ledger_adds_up_to_the_score_that_is_served(self, shape: str) -> None:
        for model, history, target in self.questions(shape):
            why = model.explain(item=model.data_.items.ids[target], history=history)
            served = float(model.scores_of(history)[target])
            total = why.base + why.cells["contribution"].sum()
            assert abs(total - served) <= self.near(served), f"cells and base give {total}, served {served}"
            factors = why.cells[["gate", "weight", "strength", "value"]].prod(axis=1)
            np.testing.assert_allclose(why.cells["contribution"], factors, rtol=1e-9, atol=1e-300)
            assert not set(np.flatnonzero(~history.live)) & set(why.cells["position"]), "a masked event has cells"

    def test_the_announced_score_without_an_event_is_served_without_it(self, shape: str) -> None:
        for model, history, target in self.questions(shape):
            announced = model.scores_without_each(history, np.array([target]))[0]
            for position in range(len(history)):
                served = float(model.scores_of(history.without([position]))[target])
                assert abs(announced[position] - served) <= self.near(served), f"event {position}"

    def test_the_announced_rank_without_an_item_is_its_rank_in_the_new_list(self, shape: str) -> None:
        for model, history, _ in self.questions(shape):
            listed = model.recommend(history=history, k=LISTED)
            if listed.empty:
                continue
            item = listed["item"].iloc[-1]
            for row in model.explain(item=item, history=history).removals().itertuples():
                masked = history.without(history.alike([row.position]))  # type: ignore[list-item]
                after = model.recommend(history=masked, k=model.data_.n_items)
                found = after[after["item"] == item].iloc[0]
                assert found["rank"] == row.rank_without
                assert abs(found["score"] - row.score_without) <= self.near(found["score"])

    def test_scores_of_a_few_items_under_maskings_are_bit_for_bit_those_served(self, shape: str) -> None:
        rng = np.random.default_rng(2)
        for model, history, target in self.questions(shape):
            live = history.live & (rng.random((4, len(history))) < 0.7)
            few = np.array([target, *rng.integers(0, model.data_.n_items, 5), target])
            served = [model.scores_of(replace(history, live=row))[few] for row in live]
            np.testing.assert_array_equal(model.scores_masked(history, live, few), served)

    def test_a_difference_of_ledgers_adds_up_to_the_difference_of_the_scores(self, shape: str) -> None:
        asked = [model.explain(item=model.data_.items.ids[j], history=h) for model, h, j in self.questions(shape)]
        for a, b in pairwise(asked):
            cells = (a - b).cells
            assert abs(cells["difference"].sum() - (a.score - b.score)) <= self.near(a.score) + self.near(b.score)
            for ledger, side in ((a, "contribution_a"), (b, "contribution_b")):
                assert np.count_nonzero(cells[side].iloc[1:]) == np.count_nonzero(ledger.cells["contribution"])

    def test_without_an_event_in_sight_the_base_is_left(self, shape: str) -> None:
        model = self.fitted(shape)
        events = model.history(self.a_user(shape))
        nothing = events.without(range(len(events)))
        np.testing.assert_allclose(model.scores_of(nothing), model.base_, rtol=1e-12)
        why = model.explain(item=model.data_.items.ids[1], history=nothing)
        assert why.score == pytest.approx(why.base)
        assert why.cells["contribution"].abs().sum() == 0

    def test_an_item_that_was_met_is_explained_without_a_rank(self, shape: str) -> None:
        model, user = self.fitted(shape), self.a_user(shape)
        met = model.data_.items.ids[model.history(user).item[0]]
        why = model.explain(user, met)
        assert why.rank is None
        assert not why.counterfactual().found

    def test_a_counterfactual_takes_the_item_out_of_the_list(self, shape: str) -> None:
        for model, history, _ in self.questions(shape):
            listed = model.recommend(history=history, k=3)
            if listed.empty:
                continue
            found = model.explain(item=listed["item"].iloc[0], history=history, k=3).counterfactual()
            if found.found:
                after = model.recommend(history=history.without(list(found.positions)), k=3)
                assert listed["item"].iloc[0] not in set(after["item"])

    def test_many_targets_at_once_are_each_target_alone(self, shape: str) -> None:
        model = self.fitted(shape)
        history = model.history(self.a_user(shape))
        together = model.scores_without_each(history, np.arange(9))
        for target in range(9):
            alone = model.scores_without_each(history, np.array([target]))[0]
            np.testing.assert_allclose(alone, together[target], rtol=1e-13, atol=1e-15)

    def test_every_number_and_name_in_the_words_is_the_ledgers(self, shape: str) -> None:
        for model, history, target in self.questions(shape):
            why = model.explain(item=model.data_.items.ids[target], history=history)
            for lang in ("en", "zh"):
                assert why.text(lang)
                assert mismatches(why, lang, "paragraph") == []
            assert why.to_json()

    # --- fits and files -----------------------------------------------------------------------------------------------

    def test_the_same_settings_and_data_give_the_same_bits(self, shape: str) -> None:
        model = self.fitted(shape)
        again = clone(model)
        assert again.get_params() == model.get_params()
        assert not hasattr(again, "base_")
        user = self.a_user(shape)
        np.testing.assert_array_equal(again.fit(model.data_).score(user), model.score(user))

    def test_calls_change_nothing(self, shape: str) -> None:
        model, user = self.fitted(shape), self.a_user(shape)
        before = model.score(user).tobytes(), model.data_.checksum
        model.explain(user, model.data_.items.ids[3]).to_json()
        model.recommend(user, without=[model.data_.items.ids[model.history(user).item[0]]])
        assert (model.score(user).tobytes(), model.data_.checksum) == before

    def test_progress_never_goes_back(self, shape: str) -> None:
        told: list[tuple[str, float]] = []
        self.make().fit(data_of(shape), progress=lambda what, share: told.append((what, share)))
        shares = [share for _, share in told]
        assert all(isinstance(what, str) and 0.0 <= share <= 1.0 for what, share in told)
        assert shares == sorted(shares)

    def test_a_second_fit_leaves_nothing_of_the_first(self, shape: str) -> None:
        model, other = self.make().fit(data_of(shape)), data_of("clean" if shape == "messy" else "messy")
        model.recommend(self.a_user(shape), k=3)
        model.fit(other)
        assert model.data_ is other
        fresh = self.make().fit(other)
        for user in other.user_ids[:5]:
            np.testing.assert_array_equal(model.score(user), fresh.score(user))
        assert model.fingerprint() == fresh.fingerprint()

    def test_a_fit_that_fails_leaves_the_old_model_whole(self, shape: str) -> None:
        model, user = self.make().fit(data_of(shape)), self.a_user(shape)
        before = model.score(user).tobytes(), model.fingerprint()

        def stop(what: str, share: float) -> None:
            raise Stopped

        try:
            model.fit(data_of("clean" if shape == "messy" else "messy"), progress=stop)
        except Stopped:
            assert model.data_ is data_of(shape)
            assert (model.score(user).tobytes(), model.fingerprint()) == before

    def test_a_saved_model_comes_back_whole(self, shape: str, tmp_path: Path) -> None:
        model = self.fitted(shape)
        if not model.saves:
            with pytest.raises(InputError):
                model.save(tmp_path / "model.npz")
            return
        model.save(tmp_path / "model.npz")
        back = load_model(tmp_path / "model.npz", models={type(model).__name__: type(model)})
        assert type(back) is type(model)
        assert back.saved_params() == model.saved_params()
        assert not [name for name in model.unsaved if getattr(back, name) is not None]
        assert back.data_.checksum == model.data_.checksum
        for _, history, target in self.questions(shape):
            np.testing.assert_array_equal(back.scores_of(history), model.scores_of(history))
            item = model.data_.items.ids[target]
            mine, theirs = (one.explain(item=item, history=history).cells for one in (model, back))
            assert mine.equals(theirs)
        assert back.fingerprint() == model.fingerprint()

    # --- refusals -----------------------------------------------------------------------------------------------------

    def test_wrong_arguments_are_refused_in_one_sentence(self, shape: str) -> None:
        model, user = self.fitted(shape), self.a_user(shape)
        item = model.data_.items.ids[0]
        wrong: list[tuple[dict[str, Any], type[Exception]]] = [
            ({}, InputError),
            ({"user": "nobody"}, UnknownIdError),
            ({"user": user, "history": [item]}, InputError),
            ({"user": user, "seen": "both"}, InputError),
            *(({"user": user, "k": k}, InputError) for k in (-1, 0, 2.5, "3", model.data_.n_items + 1)),
            *(({"user": user, name: ["no such"]}, UnknownIdError) for name in ("exclude", "candidates", "without")),
            ({"user": user, "exclude": item}, InputError),
            *(({"history": given}, InputError) for given in ([], item, ["no such"], [(item, float("inf"))])),
        ]
        for arguments, error in wrong:
            with pytest.raises(error) as caught:
                model.recommend(**arguments)
            assert str(caught.value).endswith(".")
            assert "\n" not in str(caught.value)
        with pytest.raises(UnknownIdError):
            model.explain(user, "no such")

    def test_before_a_fit_there_is_nothing(self, shape: str) -> None:
        with pytest.raises(NotFittedError):
            self.make().recommend(self.a_user(shape))

    def test_a_fit_takes_interactions_alone(self, shape: str) -> None:
        empty = data_of(shape).select(np.zeros(data_of(shape).n_events, bool))
        for data in (None, [[1, 2]], np.zeros((2, 2)), "movielens-small", empty):
            with pytest.raises(InputError):
                self.make().fit(data)  # type: ignore[arg-type]
