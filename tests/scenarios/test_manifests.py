"""Manifests: the ten are whole in both languages, and every fault in one is told in one sentence."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from xattn.errors import InputError
from xattn.explain import SCENARIOS
from xattn.i18n import LANGUAGES
from xattn.scenarios import load, manifest_of, names
from xattn.scenarios.convert import CONVERTERS
from xattn.scenarios.manifest import NO_ADVICE, Said, manifest_in

FIELDS = ["e-commerce", "social", "news", "music", "education", "health", "finance", "smart-home", "travel", "cars"]
FOLDER = Path(str(files("xattn.scenarios")))
TEXT = (FOLDER / "finance.toml").read_text("utf-8")


def test_there_are_ten() -> None:
    assert names() == FIELDS
    assert sorted(path.stem for path in FOLDER.glob("*.toml")) == sorted(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_texts_are_whole_and_in_their_language(name: str) -> None:
    m = load(name).manifest
    said = [m.title, m.story, m.persona, m.watch, *m.questions, *m.warnings, *(event.why for event in m.events)]
    said += [m.real.about] if m.real is not None else []
    assert m.claim is not None
    assert m.holds is not None
    said += [m.claim, m.holds, *(setting.why for setting in (m.real.settings if m.real else ()))]
    assert len(m.questions) >= 2
    for text in said:
        assert isinstance(text, Said)
        assert not re.search("[\u4e00-\u9fff]", text.en)
        assert re.search("[\u4e00-\u9fff]", text.zh)
        assert text.en == text.en.strip()
        assert text.zh == text.zh.strip()
        if text is not m.title:
            assert text.en.endswith((".", "?"))
            assert text.zh.endswith(("。", "？"))


@pytest.mark.parametrize("name", FIELDS)
def test_a_persona_is_two_sentences(name: str) -> None:
    persona = load(name).manifest.persona
    assert [len(re.findall(r"[.?。？]", persona.told(lang))) for lang in LANGUAGES] == [2, 2]


@pytest.mark.parametrize("name", FIELDS)
def test_each_has_a_simulated_set_and_no_films(name: str) -> None:
    m = load(name).manifest
    assert m.simulated is not None
    assert m.words in SCENARIOS
    assert m.words != "films"
    assert {event.type for event in m.events} >= set(m.simulated.kinds), "each type has a weight, with the reason"
    assert {"age", "sex"} <= set(m.sensitive), "what simulated people have beside them"
    assert m.real is None or m.real.converter in CONVERTERS


PROMISES = re.compile(
    r"\b(should|must|will help|cure|heal|improve|earn|profit|best for you|guarantee|return on)\b", re.IGNORECASE
)


@pytest.mark.parametrize("name", ["health", "finance"])
def test_where_a_list_could_be_advice_it_says_that_it_is_none(name: str) -> None:
    m = load(name).manifest
    assert m.words in NO_ADVICE
    assert m.warnings[0].en.startswith("No advice: ")
    assert m.warnings[0].zh.startswith("不是建议：")
    for text in (m.story, m.persona, *m.questions):
        said = text.en.replace("nothing about what anybody should do", "")
        assert not PROMISES.search(said), said


def test_an_order_that_means_nothing_is_not_used() -> None:
    assert [name for name in FIELDS if load(name).manifest.protocol == "holdout"] == ["music", "health", "finance"]


# --- faults -----------------------------------------------------------------------------------------------------------


def edited(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = ", "`x.toml` must be a manifest in TOML that can be read; got"),
        ("", "`x.toml` must have the key 'name'; got"),
        (edited('name = "finance"', 'name = "My Bank"'), "`name` must be of small letters, digits and hyphens"),
        (edited('name = "finance"', "name = 7"), "`x.toml.name` must be a text; got 7."),
        (edited('words = "finance"', 'words = "banking"'), "`words` must be one of films, shop, .*; got 'banking'."),
        (edited('protocol = "holdout"', 'protocol = "guess"'), "`protocol` must be one of next-item, holdout"),
        (edited('protocol = "holdout"', "colour = 1"), "`x.toml` must have no other keys than name, .*; got 'colour'."),
        (edited('"side"]', '"AGECL"]'), "a sensitive column must be neither a group nor a block; got 'AGECL'."),
        (edited('protocol = "holdout"', 'blocks = ["age=words"]'), "a sensitive column must be neither .*; got 'age'."),
        (
            edited(
                "[simulated]",
                '[[real.settings]]\nname = "colour"\nvalue = 1.0\nwhy = {en = "a.", zh = "甲。"}\n\n[simulated]',
            ),
            "`settings` must be one of .*newcomers.*; got 'colour'.",
        ),
        (
            edited("[simulated]", '[[real.settings]]\nname = "beta"\nwhy = {en = "a.", zh = "甲。"}\n\n[simulated]'),
            "the setting 'beta' must have either `value` or `values`; got neither or both.",
        ),
        (edited('protocol = "holdout"', 'blocks = ["story"]'), "`blocks` must hold pairs such as story=text; got"),
        (edited('protocol = "holdout"', 'blocks = ["story=nosuch"]'), "`blocks` must be one of .*; got 'nosuch'."),
        (edited("items = 40", "items = 4"), "`simulated.items` must be a whole number >= 20; got 4."),
        (edited("pull = 3.0", "pull = -3.0"), "`pull` must be a finite number >= 0; got -3."),
        (edited("pull = 3.0", 'pull = "much"'), "`x.toml.simulated.pull` must be a finite number; got 'much'."),
        (
            edited("{sort}, {term}", "{sort}, {when}"),
            "`simulated.title` must name a column of the items .*; got 'when'.",
        ),
        (edited("pull = 3.0", 'kinds = ["one"]'), "`simulated.kinds` must be none or two types of events"),
        (edited('values = ["asset", "debt"]', "low = 1"), "the simulated column 'side' must have either `values` or"),
        (
            re.sub(r"\[\[warnings\]\].*?(?=\[real\])", "", TEXT, flags=re.DOTALL),
            "a manifest with the words of 'finance'",
        ),
        (re.sub(r"\[real\].*", "", TEXT, flags=re.DOTALL), "a manifest must say where its data come from"),
        (
            re.sub(r"\[\[questions\]\].*?(?=\[\[warn)", "", TEXT, flags=re.DOTALL),
            "`x.toml` must have the key 'questions'",
        ),
        (edited('en = "Finance"', 'en = " "'), "`en` must hold visible text; got ' '."),
        (TEXT + "x = 1\n", "must have no other keys than"),
        ("[" * 5000, "`x.toml` must be a manifest in TOML that can be read"),
    ],
)
def test_a_fault_is_told_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        manifest_in(text, "x.toml")
    assert len(str(caught.value)) < 600
    assert caught.value.told("zh") != str(caught.value)


def test_a_type_of_events_has_one_weight() -> None:
    text = (FOLDER / "cars.toml").read_text("utf-8").replace('type = "test drive"', 'type = "look"')
    with pytest.raises(InputError, match="`events` must hold each type of events once; got 'look' twice."):
        manifest_in(text, "x.toml")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00", b"name = 'x'" * 200_000])
def test_a_file_that_is_no_manifest_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match="`mine.toml` must be a manifest"):
        manifest_of(path)


def test_a_missing_file_a_folder_and_an_unknown_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="`nosuch.toml` must be a manifest in TOML that can be read; got 'No such file"
    ):
        load(tmp_path / "nosuch.toml")
    with pytest.raises(InputError, match="must be a manifest"):
        load(tmp_path)
    with pytest.raises(InputError, match="`scenario` must be one of e-commerce, social, .*; got 'films'."):
        load("films")
