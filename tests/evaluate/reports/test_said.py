"""The sentences of reports: every one is used, and can be said in both languages with the values it is given."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.models import fitted
from xattn.evaluate import reports
from xattn.i18n import LANGUAGES, keys

FOLDER = Path(reports.__file__).parent


def test_every_sentence_is_used_and_every_used_one_is_there() -> None:
    """Keys are short texts of the modules; two groups of them are put together from a stem and an ending."""
    texts = {
        node.value
        for file in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    made = {f"weights_{verdict}" for verdict in ("fair", "partly", "unfair")}
    made |= {f"{stem}_unsure" for stem in ("served_worst", "explained_worst")}
    own = {key.removeprefix("report.") for key in keys() if key.startswith("report.")}
    assert own - texts - made == set()
    assert made <= own


@pytest.mark.parametrize("name", ["hybrid", "popularity", "users"])
def test_summaries_can_be_said(name: str) -> None:
    model = fitted(name)
    made = [
        reports.attended(model, sample=4),
        reports.popularity(model, sample=8, k=3),
        reports.groups(model, sample=4, k=3),
        reports.attention_tests(model, sample=3, seeds=1, k=3),
        reports.stability(model, "u1", refits=2, k=3),
    ]
    for report in made:
        assert report["summary"]
        for lang in LANGUAGES:
            said = reports.said(report, lang)
            assert len(said) == len(report["summary"])
            assert all("{" not in line and "nan" not in line for line in said)
