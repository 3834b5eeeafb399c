"""Models of real libraries, wrapped: scikit-learn always, implicit and PyTorch where they are installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import NMF, TruncatedSVD

from tests.recommenders.foreign.models import data, table
from xattn import InputError, wrap
from xattn.data import History
from xattn.recommenders import Recommender
from xattn.recommenders.foreign import WrappedScores

USERS = 100


def user_items(weights: np.ndarray | None = None) -> sparse.csr_matrix:
    events = data()
    values = np.ones(events.n_events) if weights is None else weights
    return sparse.csr_matrix((values, (events.user, events.item)), shape=(events.n_users, events.n_items))


def asked_anew(model: Recommender, history: History) -> np.ndarray:
    """The scores of a history, alone and with nothing that the wrapped model has kept."""
    if isinstance(model, WrappedScores) and history.live.any():
        return model.asked_.asked([history.item[history.live]])[0]
    return model.scores_of(history)


def assert_the_bar(model: Recommender, users: int = USERS) -> None:
    """Base + cells = served, announced = re-scored, to 1e-5 for 100 users."""
    for user in data().user_ids[:users]:
        history = model.history(user)
        target = int(np.argmax(model.scores_of(history)))
        amounts = sum(float(head.contribution.sum()) for head in model.cells_of(history, target))
        assert abs(model.base_[target] + amounts - model.scores_of(history)[target]) <= 1e-5
        announced = model.scores_without_each(history, np.array([target]))[0]
        for position in range(len(history)):
            again = asked_anew(model, history.without([position]))[target]
            assert abs(announced[position] - again) <= 1e-5


# --- scikit-learn -----------------------------------------------------------------------------------------------------


def test_a_decomposition_of_scikit_learn() -> None:
    fitted = TruncatedSVD(n_components=8, random_state=0).fit(user_items())
    model = wrap(fitted, data())
    assert_the_bar(model)
    own = fitted.inverse_transform(fitted.transform(user_items()))
    np.testing.assert_allclose(model.score("u3"), own[3], atol=1e-8)
    assert model.explain("u3", "i5").amounts == "arrival"


@pytest.mark.filterwarnings("ignore")  # of convergence
def test_a_decomposition_that_looks_at_all_rows_together_is_asked_about_one_at_a_time() -> None:
    fitted = NMF(n_components=8, random_state=0).fit(user_items())
    with pytest.raises(InputError, match="must score a history alone as it does beside others"):
        wrap(fitted, data())
    assert_the_bar(wrap(fitted, data(), batch_size=1), users=4)


def test_a_model_with_predict() -> None:
    met = table(data())

    class Popular:
        def predict(self, X: sparse.csr_matrix) -> sparse.csr_matrix:
            return sparse.csr_matrix(X @ (met.T @ met) + met.sum(axis=0))

    model = wrap(Popular(), data())
    history = History.of(data(), 4)
    np.testing.assert_allclose(model.scores_of(history), (met.T @ met)[history.item].sum(axis=0) + met.sum(axis=0))


# --- implicit ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["CosineRecommender", "TFIDFRecommender", "BM25Recommender", "ItemItemRecommender"])
def test_an_item_model_of_implicit(name: str) -> None:
    implicit = pytest.importorskip("implicit.nearest_neighbours")
    fitted = getattr(implicit, name)(K=6, num_threads=1)
    fitted.fit(user_items(), show_progress=False)
    model = wrap(fitted, data())
    assert_the_bar(model)
    for user in range(20):
        listed, scores = fitted.recommend(user, user_items()[user], N=40, filter_already_liked_items=False)
        np.testing.assert_allclose(model.score(data().user_ids[user])[listed], scores, rtol=1e-9)


@pytest.mark.parametrize("alpha", [1.0, 10.0, 40.0])
def test_als_of_implicit_is_folded_in(alpha: float) -> None:
    als = pytest.importorskip("implicit.cpu.als")
    fitted = als.AlternatingLeastSquares(
        factors=8, regularization=0.1, alpha=alpha, iterations=4, random_state=0, num_threads=1
    )
    fitted.fit(user_items(), show_progress=False)
    model = wrap(fitted, data())
    assert_the_bar(model)
    for user in range(20):
        mine = model.score(data().user_ids[user])
        theirs = fitted.recalculate_user(user, user_items()[user]) @ fitted.item_factors.T
        np.testing.assert_allclose(mine, theirs, atol=2e-3)  # they solve in float32
        total, terms, _ = fitted.explain(user, user_items(), 5, N=40)
        why = model.explain(data().user_ids[user], "i5")
        assert abs(total - why.score) < 2e-3
        own = dict(zip(why.cells["event"], why.cells["contribution"], strict=True))
        for item, term in terms:
            assert abs(own[f"i{item}"] - term) < 2e-3


def test_a_model_of_user_vectors_is_refused_with_the_reason() -> None:
    bpr = pytest.importorskip("implicit.cpu.bpr")
    fitted = bpr.BayesianPersonalizedRanking(factors=4, iterations=2, num_threads=1)
    fitted.fit(user_items(), show_progress=False)
    with pytest.raises(InputError, match="whose fitted vector of each user says nothing of single events"):
        wrap(fitted, data())


# --- PyTorch ----------------------------------------------------------------------------------------------------------


def sequence_module(torch: Any, padded: bool) -> Any:
    """Item vectors that fade, bent, against item vectors; dropout that must be off; scores of all positions."""
    d, first = 8, 1 if padded else 0
    _, sizes, rows = np.linalg.svd(table(data()), full_matrices=False)
    vectors = np.vstack([np.zeros((first, d)), rows[:d].T * np.sqrt(sizes[:d])])

    class Fading(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.vectors = torch.nn.Parameter(torch.tensor(vectors, dtype=torch.float32))
            self.dropout = torch.nn.Dropout(0.5)

        def forward(self, items: Any) -> Any:
            x = self.dropout(self.vectors[items])
            state = torch.zeros(len(items), d)
            states = []
            for step in range(items.shape[1]):
                state = torch.tanh(0.8 * state + x[:, step])
                states.append(state)
            return torch.stack(states, dim=1) @ self.vectors.T if states else torch.zeros(len(items), 0, len(vectors))

    return Fading()


@pytest.mark.parametrize("padded", [True, False])
def test_a_module_of_pytorch_on_sequences(padded: bool) -> None:
    torch = pytest.importorskip("torch")
    module = sequence_module(torch, padded)
    base = np.zeros(data().n_items)
    model: Any = wrap(module, data(), base=base, **({"length": 12} if padded else {"pad": data().n_items}))
    assert module.training, "its mode is put back"
    assert model.one_pass_, "no item moves no state, so all beginnings come in one pass"
    assert_the_bar(model)
    history = History.of(data(), 3)
    numbers = torch.tensor(history.item[None, :] + (1 if padded else 0))
    own = module.eval()(numbers)[0, -1].detach().numpy()
    np.testing.assert_allclose(model.scores_of(history), own[1:] if padded else own, atol=1e-6)


def test_a_module_numbered_from_one_further_is_seen() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError, match=r"number the items|got the shape|order of the data"):
        wrap(sequence_module(torch, padded=True), data(), base=np.zeros(40), pad=data().n_items)


def test_a_module_on_tables() -> None:
    torch = pytest.importorskip("torch")
    met = table(data())
    module = torch.nn.Linear(40, 40)
    with torch.no_grad():
        module.weight.copy_(torch.tensor(met.T @ met) / 10)
        module.bias.zero_()
    model = wrap(module, data(), events_as="table")
    assert_the_bar(model)
    history = History.of(data(), 3)
    np.testing.assert_allclose(model.scores_of(history), (met.T @ met)[history.item].sum(axis=0) / 10, rtol=1e-5)


@pytest.mark.parametrize("answer", ["text", "short", "stops"])
def test_a_module_that_does_not_answer_is_told(answer: str) -> None:
    torch = pytest.importorskip("torch")

    class Odd(torch.nn.Module):  # type: ignore[misc]
        def forward(self, items: Any) -> Any:
            if answer == "stops":
                raise RuntimeError("no kernel")
            return "scores" if answer == "text" else torch.zeros(len(items), 7)

    with pytest.raises(InputError, match="must answer with a table of numbers|got RuntimeError: no kernel"):
        wrap(Odd(), data())
