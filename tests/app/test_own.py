"""The pages on somebody's own data or model: shown, explained, repeated in Python, and measured in the lab."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import xattn
from tests.app.conftest import PAGE, shown_text, visited
from xattn import CollaborativeAttention, HybridAttention, InputError, Interactions, ItemKNN, NotFittedError, load_model
from xattn.app import state
from xattn.app.lab import jobs
from xattn.app.lab.runs import _file_of
from xattn.app.recommend.snippet import of_view
from xattn.app.recommend.view import View
from xattn.app.state import Own
from xattn.explain import Origin
from xattn.i18n import t


def plays() -> Interactions:
    """Forty people, each with twenty plays of five songs, some of them many times."""
    rng = np.random.default_rng(0)
    lines = [
        (f"p{u}", f"Song {song}", t)
        for u in range(40)
        for t, song in enumerate(rng.choice(rng.permutation(15)[:5], 20))
    ]
    return Interactions.from_frame(pd.DataFrame(lines, columns=["user", "item", "time"]), name="plays")


@pytest.fixture
def own_data() -> Iterator[Interactions]:
    data = plays()
    state.use(Own(data, scenario="music"))
    yield data
    state.use(None)


def opened(**params: str) -> AppTest:
    page = visited(PAGE, **params)
    assert not page.exception
    return page


def test_the_page_recommends_from_own_data_in_its_words(own_data: Interactions) -> None:
    model = HybridAttention().fit(own_data)
    first = model.recommend(user="p3")["item"].iloc[0]
    said = shown_text(opened(user="p3", item=first, depth="paragraph"))
    assert f"**1** · {first}" in said
    assert f"you {t('words.did.music')}" in said
    assert "watched" not in said


def test_an_item_that_is_unticked_goes_with_all_its_plays(own_data: Interactions) -> None:
    """What is announced beside its box is what the page then serves."""
    model = HybridAttention().fit(own_data)
    first = model.recommend(user="p3")["item"].iloc[0]
    row = model.explain(user="p3", item=first, k=10).events().iloc[0]
    assert row["times"] > 1
    page = opened(user="p3", item=first, tab="whatif")
    box = next(box for box in page.checkbox if box.label.startswith(row["event"]))
    box.uncheck().run()
    assert page.query_params["without"] in (row["event"], [row["event"]])
    served = model.recommend(user="p3", without=[row["event"]])
    shown = shown_text(page)
    for rank, item in zip(served["rank"], served["item"], strict=True):
        assert f"**{rank}** · {item}" in shown


def test_a_model_of_ones_own_stands_first_and_is_not_fitted_again() -> None:
    model = CollaborativeAttention(min_events=2, regularization=3.0).fit(plays())
    state.use(Own(model.data_, model, Origin(model="songs.npz")))
    try:
        assert state.default_model() == "CollaborativeAttention"
        assert state.model() is model
        assert state.model("ItemKNN").data_ is model.data_
        code = of_view(View("p3", "CollaborativeAttention"), model.data_, "Song 1")
        assert "model = load_model('songs.npz')" in code
        assert "ItemKNN().fit(load_model('songs.npz').data_)" in of_view(View("p3", "ItemKNN"), model.data_, "Song 1")
    finally:
        state.use(None)
    assert state.default_model() == "HybridAttention"


def test_the_python_reads_the_files_that_were_named(own_data: Interactions) -> None:
    state.use(Own(own_data, origin=Origin(None, "it's.csv", "songs.csv", {"scale": "1-5"})))
    code = of_view(View("p3", "ItemKNN"), own_data, "Song 1")
    assert """model = ItemKNN().fit(read_interactions("it's.csv", 'songs.csv', scale='1-5'))""" in code
    compile(code, "code", "exec")


@pytest.mark.parametrize("own_model", [False, True])
def test_the_lab_measures_what_is_shown(tmp_path: Path, own_model: bool) -> None:
    data = plays()
    shown = Own(data, ItemKNN(n_neighbors=3).fit(data) if own_model else None)
    saved = _file_of(shown, tmp_path)
    assert load_model(saved).data_.checksum == data.checksum
    assert jobs.main(["popularity", "--model", saved, "--out", str(tmp_path / "result.json")]) == 0
    result = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert result["dataset"] == "plays"
    assert result["model"] == ("ItemKNN" if own_model else "HybridAttention")


def test_show_serves_a_model_until_it_is_closed() -> None:
    model = ItemKNN(n_neighbors=3).fit(plays())
    pages = xattn.show(model, scenario="music")
    try:
        with urllib.request.urlopen(f"{pages.url}/readyz", timeout=5) as answer:
            assert answer.status == 200
        assert pages.url in repr(pages)
        assert "closed" not in repr(pages)
        assert f'src="{pages.url}"' in pages._repr_html_()
        folder = Path(pages._folder.name)
        assert (folder / "model.npz").is_file()
    finally:
        pages.close()
    assert "closed" in repr(pages)
    assert not folder.exists()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{pages.url}/readyz", timeout=5)


def test_show_says_why_the_pages_do_not_come_up() -> None:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        with pytest.raises(InputError, match="must be one that is free"):
            xattn.show(ItemKNN().fit(plays()), taken.getsockname()[1])
    with pytest.raises(NotFittedError, match="must be fitted"):
        xattn.show(ItemKNN())
