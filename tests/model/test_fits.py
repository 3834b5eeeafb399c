"""Small fits of every model score what they scored: figures in the documentation were measured on such models.

What a fit must be is tested elsewhere, against plain sums and gradients; here, that a change of it is seen. `fits.py`
makes the fits, fits.json holds the numbers. A change that is meant is told in the changelog, and what was measured with
the model is measured again.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.model.fits import FITS, said, tolerance

KNOWN: dict[str, list[float]] = json.loads(Path(__file__).with_name("fits.json").read_text("utf-8"))


def test_each_fit_is_written() -> None:
    assert list(KNOWN) == list(FITS)


@pytest.mark.parametrize("name", FITS)
def test_a_fit_is_what_it_was(name: str) -> None:
    found = said(name)
    assert len(found) == len(KNOWN[name])
    np.testing.assert_allclose(found, KNOWN[name], rtol=tolerance(name), atol=tolerance(name))


def test_what_was_taught_in_two_parts_is_what_was_taught_at_once() -> None:
    np.testing.assert_allclose(said("collaborative, in two"), said("collaborative"), rtol=1e-9, atol=1e-9)
