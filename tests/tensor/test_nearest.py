"""`nearest`: cosine, what may be found, types, and one clear sentence for every wrong argument."""

from __future__ import annotations

import numpy as np
import pytest

from xattn.errors import InputError
from xattn.tensor.nearest import nearest


def test_cosine_ignores_lengths_and_a_vector_of_none() -> None:
    K = np.array([[1e-200, 1e-200], [5.0, 0.0], [0.0, 0.0], [-1.0, 0.0]])
    found = nearest(np.array([[1e200, 0.0]]), K, k=4, metric="cosine")
    assert found.items.tolist() == [[1, 0, 2, 3]]
    np.testing.assert_allclose(found.scores, [[1.0, np.sqrt(0.5), 0.0, -1.0]], rtol=1e-15)


def test_only_what_is_allowed_is_found() -> None:
    K = np.arange(6.0)[:, None]
    found = nearest(np.array([[1.0], [-1.0]]), K, k=2, allowed=np.array([True, True, False, True, False, False]))
    assert found.items.tolist() == [[3, 1], [0, 1]]
    none = nearest(np.array([[1.0]]), K, k=2, allowed=np.zeros(6, bool))
    assert none.items.shape == none.scores.shape == (1, 0)


def test_types_mix_to_the_wider_one() -> None:
    assert nearest(np.ones((1, 2), np.float32), np.ones((3, 2)), k=1).scores.dtype == np.float64
    assert nearest(np.ones((1, 2), np.float32), np.ones((3, 2), np.float32), k=1).scores.dtype == np.float32
    assert nearest(np.ones((1, 2), int), np.ones((3, 2), int), k=1).scores.dtype == np.float64  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("queries", "keys", "options", "says"),
    [
        (np.ones(2), np.ones((3, 2)), {}, "`queries` must be"),
        (np.ones((1, 2)), np.ones((3, 4)), {}, "equally many coordinates"),
        (np.full((1, 2), np.nan), np.ones((3, 2)), {}, "`queries` must"),
        (np.ones((1, 2)), np.ones((3, 2)), {"k": 0}, "`k` must be"),
        (np.ones((1, 2)), np.ones((3, 2)), {"metric": "euclidean"}, "`metric` must be"),
        (np.ones((1, 2)), np.ones((3, 2)), {"allowed": np.ones(2, bool)}, "`allowed` must be"),
        (np.full((1, 2), 1e200), np.full((3, 2), 1e200), {}, "products to be finite"),
    ],
)
def test_wrong_input_is_one_sentence(
    queries: np.ndarray, keys: np.ndarray, options: dict[str, object], says: str
) -> None:
    with pytest.raises(InputError) as refused:
        nearest(queries, keys, **options)  # type: ignore[arg-type]
    assert says in str(refused.value)
