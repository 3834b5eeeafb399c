"""The explainers of the packages `lime` and `shap`: a history is a row of n ones, a masked event a zero.

Both come with ``xattn[explainers]``; where a package is missing, our own small version (surrogates.py) takes its place
and the result says so (`sources`).

    lime          LimeBase (ridge, all events) on the neighbourhood that LimeTextExplainer draws for n words: 5,000
                  rows, the number of masked events uniform in 1..n, kernel of width 25 on 100 · cosine distance
    kernel_shap   KernelExplainer with the empty history as background, 2n + 2048 maskings; `l1_reg` is 0, not the
                  package's choice of ten events, for that leaves all others at 0 and so without an order

Ribeiro et al. (KDD 2016); Lundberg and Lee (NeurIPS 2017).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np

from xattn.evaluate.faithfulness.case import Case, Explanation, ordered
from xattn.evaluate.faithfulness.surrogates import kernel_shap as own_kernel_shap
from xattn.evaluate.faithfulness.surrogates import lime as own_lime
from xattn.evaluate.faithfulness.surrogates import subsets

__all__ = ["OWN", "kernel_shap", "lime", "sources"]

OWN = "own"
PACKAGES = {"lime": "lime", "kernel_shap": "shap"}  # explainer: the package that it comes from
LIME_ROWS = 5000  # num_samples of LimeTextExplainer.explain_instance
LIME_WIDTH = 25.0  # kernel_width of LimeTextExplainer


def sources() -> dict[str, str]:
    """The maker of each surrogate: the package with its version, or "own" where the package is not installed."""
    return {name: f"{kind} {version(kind)}" if find_spec(kind) else OWN for name, kind in PACKAGES.items()}


def lime(case: Case, most: int) -> Explanation:
    """Slopes of lime's regression; its intercept and Σ are what it holds to be the score."""
    if find_spec("lime") is None:
        return own_lime(case, most)
    from lime.lime_base import LimeBase

    n = case.n
    masked = subsets(case.rng, case.rng.integers(1, n + 1, LIME_ROWS - 1), n)
    live = np.vstack([np.ones((1, n), bool), ~masked])
    distance = 100.0 * (1.0 - np.sqrt(live.sum(axis=1) / n))
    base = LimeBase(_proximity, random_state=int(case.rng.integers(2**31)))
    answers = case.masked.of(live, case.target)[:, None]
    offset, slopes, _, _ = base.explain_instance_with_data(live.astype(float), answers, distance, 0, n, "none")
    strength = np.zeros(n)
    for event, slope in slopes:
        strength[event] = slope
    return ordered(strength, most, offset=float(offset))


def _proximity(distance: np.ndarray) -> np.ndarray:
    """LIME's kernel, √exp(−d²/w²)."""
    near: np.ndarray = np.sqrt(np.exp(-(distance**2) / LIME_WIDTH**2))
    return near


def kernel_shap(case: Case, most: int) -> Explanation:
    """The package's Shapley values; the score of the empty history + Σ is the score by constraint."""
    if find_spec("shap") is None:
        return own_kernel_shap(case, most)
    n = case.n
    with _seeded(int(case.rng.integers(2**31))), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of colours, and of a singular equation: shap then takes least squares
        from shap import KernelExplainer

        explainer = KernelExplainer(lambda rows: case.masked.of(np.asarray(rows) > 0.5, case.target), np.zeros((1, n)))
        found = explainer.shap_values(np.ones(n), silent=True, l1_reg=0)
    return ordered(np.asarray(found, float).reshape(n), most, offset=case.score(np.zeros(n, bool)))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """NumPy's global generator, which shap draws from, seeded and then put back as it was."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
