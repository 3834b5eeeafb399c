"""The statement of main parameters: shares are the ledgers', lists those served; tests that its page names exist."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import xattn
from tests.models import fitted
from xattn.data import planted
from xattn.errors import InputError, NotFittedError
from xattn.evaluate.faithfulness.protocol import sample_users
from xattn.i18n import LANGUAGES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "transparency.md").read_text("utf-8")
SAMPLE, K = 12, 4


@pytest.mark.parametrize("name", ["hybrid", "content by blocks", "users", "popularity"])
def test_shares_are_those_of_the_ledgers(name: str) -> None:
    model = fitted(name)
    said = xattn.transparency(model, sample=SAMPLE, k=K)
    shares: dict[str, list[float]] = defaultdict(list)
    for row in sample_users(model.data_, SAMPLE, 1, 0):
        user, own = model.data_.user_ids[row], defaultdict(float)
        listed = model.recommend(user=user, k=K)["item"]
        for item in listed:
            ledger = model.explain(user=user, item=item)
            cells = ledger.cells.groupby("head")["contribution"].agg(lambda column: column.abs().sum())
            lift = ledger.base - model.base_.min()
            for head, amount in {**cells, "base": lift}.items():
                own[head] += amount / (lift + cells.sum()) / len(listed)
        for head, share in own.items():
            shares[head].append(share)
    found = {one.name: one.share["value"] for one in said.parameters}
    assert found == pytest.approx({head: sum(own) / SAMPLE for head, own in shares.items()}, abs=1e-9)
    assert sum(found.values()) == pytest.approx(1.0)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_places_that_would_change_are_those_of_the_lists_served() -> None:
    model = fitted("hybrid")
    said = xattn.transparency(model, sample=SAMPLE, k=K)
    for one in said.parameters:
        if one.name == "base":
            continue
        twin, changed = model.without_heads([one.name]), []
        for row in sample_users(model.data_, SAMPLE, 1, 0):
            lists = [set(kind.recommend(user=model.data_.user_ids[row], k=K)["item"]) for kind in (model, twin)]
            changed.append(len(lists[0] - lists[1]) / K)
        assert one.replaced["value"] == pytest.approx(np.mean(changed))
    assert max(one.replaced["value"] for one in said.parameters) > 0


def test_the_data_that_move_scores_are_told() -> None:
    used = {
        name: set(xattn.transparency(fitted(name), sample=SAMPLE).used) for name in ("hybrid", "ease", "popularity")
    }
    assert used == {
        "hybrid": {"events", "order", "opinions", "column: genres"},
        "ease": {"events"},
        "popularity": set(),
    }
    rated = xattn.ContentAttention().fit(planted("dislike", n_users=60, seed=0).data)
    assert "opinions" in xattn.transparency(rated, sample=SAMPLE).used
    assert "order" in xattn.transparency(fitted("ease"), sample=SAMPLE).unused


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_statement_is_whole_in_both_languages(lang: str) -> None:
    said = xattn.transparency(fitted("hybrid"), sample=SAMPLE, k=K)
    text = said.text(lang)
    assert len(text.splitlines()) == 11 + len(said.parameters) + bool(said.features) + bool(said.unused)
    for one in said.parameters:
        assert f"{one.share['value']:.1%}" in text
    assert (re.search("[\u4e00-\u9fff]", text) is not None) == (lang == "zh")
    assert said.to_dict()["k"] == K


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(NotFittedError):
        xattn.transparency(xattn.Popularity())
    with pytest.raises(InputError, match="`sample`"):
        xattn.transparency(fitted("popularity"), sample=0)
    with pytest.raises(InputError, match="`lang`"):
        xattn.transparency(fitted("popularity"), sample=2).text("fr")


def test_each_test_that_the_map_of_rules_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 10
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (path, name)


def test_the_python_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(code, "transparency.md", "exec"), {})
    assert "100.0%" in capsys.readouterr().out
