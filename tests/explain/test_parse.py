"""Texts are read back to their last number and name, and what does not hold is seen."""

from __future__ import annotations

import time

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import MODELS, fitted
from xattn import InputError, Interactions, ItemTable, Ledger
from xattn.explain import DEPTHS, SCENARIOS
from xattn.explain.tell.words import joined
from xattn.i18n import t
from xattn.recommenders import CollaborativeAttention
from xattn.testing.claims import read_back
from xattn.testing.texts import mismatches

every_model = pytest.mark.parametrize("name", MODELS)


def ledger(name: str, user: int, item: int) -> Ledger:
    return fitted(name).explain(user=f"u{user}", item=f"i{item}")


@every_model
@given(
    user=st.integers(0, 119),
    item=st.integers(0, 39),
    lang=st.sampled_from(["en", "zh"]),
    depth=st.sampled_from(DEPTHS),
    scenario=st.sampled_from(SCENARIOS),
)
@settings(max_examples=12)
def test_each_number_and_name_is_the_ledgers(
    name: str, user: int, item: int, lang: str, depth: str, scenario: str
) -> None:
    assert mismatches(ledger(name, user, item), lang, depth, scenario) == []


@given(length=st.integers(1, 6), start=st.integers(0, 30), item=st.integers(0, 39), lang=st.sampled_from(["en", "zh"]))
@settings(max_examples=20)
def test_short_histories_of_someone_new_are_told_as_truly(length: int, start: int, item: int, lang: str) -> None:
    model = fitted("hybrid")
    history = [(f"i{(start + 3 * i) % 40}", 1.0 + i % 5) for i in range(length)]
    why = model.explain(history=history, item=f"i{item}")
    for depth in DEPTHS:
        assert mismatches(why, lang, depth) == []


@every_model
def test_what_is_not_in_the_list_is_not_said_to_be_there(name: str) -> None:
    for item in range(0, 40, 3):
        why = ledger(name, 3, item)
        listed = why.rank is not None and why.rank <= why.k
        for lang, here in (("en", "It is here"), ("zh", "列出它")):
            assert listed or here not in why.text(lang, "sentence")


def test_masked_events_are_not_spoken_of() -> None:
    model = fitted("hybrid")
    first = model.explain(user="u3", item="i2")
    loudest = int(first.events()["position"].iloc[0])
    why = model.explain(history=model.history("u3").without([loudest]), item="i2")
    assert mismatches(why, "en", "paragraph") == []
    assert first.title_at(loudest) not in {
        name.title for c in read_back(why.text(), "en", "paragraph") for name in c.names
    }


def seen(why: Ledger, text: str, depth: str) -> bool:
    """The fault in a text is seen: something does not hold, or it is no text of a ledger at all."""
    try:
        return bool(mismatches(why, "en", depth, text=text))
    except InputError:
        return True


WRONG = [
    ("paragraph", "scores 0", "scores 1"),
    ("paragraph", " for the ", "9 for the "),
    ("paragraph", "What speaks for it most is that you watched “", "What speaks for it most is that you watched “The "),
    ("paragraph", "its score would be ", "its score would be 1"),
    ("paragraph", "its rank ", "its rank 1"),
    ("paragraph", "leave the top 10", "leave the top 9"),
    ("paragraph", "would enter it", "would enter it"),  # no fault: nothing must be seen
    ("paragraph", "Confidence: moderate, because its first reason moves its score but does not decide its place alone.",
     "Confidence: weak, because the history says too little about it."),
    ("sentence", "because you watched “", "because you watched “The "),
    ("sentence", "which adds +0", "which adds +1"),
    ("sentence", "score of 0", "score of 1"),
    ("sentence", "It is not in the list of 10; what speaks for it most is that", "It is here because"),
    ("sentence", "It is here because", "It is not in the list of 10; what speaks for it most is that"),
    ("sentence", "in the list of 10", "in the list of 9"),
    ("clause", "because you watched", "because you did not like"),
]  # fmt: skip


@pytest.mark.parametrize(("depth", "true", "false"), WRONG)
def test_a_planted_fault_is_seen(depth: str, true: str, false: str) -> None:
    texts = [(why, why.text(depth=depth)) for user in range(40) for why in [ledger("hybrid", user, 2)]]
    why, text = next((why, text) for why, text in texts if true in text)
    wrong = text.replace(true, false, 1)
    assert seen(why, wrong, depth) == (true != false)


def test_a_wrong_replacement_and_a_wrong_set_are_seen() -> None:
    why, claim = next(
        (why, claim)
        for user in range(40)
        for why in [ledger("hybrid", user, 2)]
        for claim in read_back(why.text(), "en", "paragraph")
        if claim.key == "words.drop"
    )
    text = why.text()
    replacement, first = claim.values["replacement"], claim.names[0].title
    other = next(title for title in fitted("hybrid").data_.items.titles if title not in (replacement, first))
    assert seen(why, text.replace(f"“{replacement}” would", f"“{other}” would"), "paragraph")
    assert seen(why, text.replace(f"Without “{first}”", f"Without “{other}”"), "paragraph")


@pytest.mark.parametrize("text", ["", "It is good.", "because you watched “Alien", "because you bought “Alien”"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="`text` must be one that a ledger gives"):
        read_back(text, "en", "clause")


def test_a_text_with_more_behind_it_is_refused() -> None:
    why = ledger("hybrid", 3, 2)
    for depth in DEPTHS:
        with pytest.raises(InputError):
            read_back(why.text(depth=depth) + " Buy it now!", "en", depth)


ODD = {
    "x": "“Quoted” 《书名》 (+9.99), “and” more",
    "y": "100% {score} \\d+ . * [a-z]",
    "z": "‘single’ and “double”",
}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_titles_that_look_like_sentences_are_names(lang: str, depth: str) -> None:
    rows = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "x"), ("d", "z"), ("d", "x"), ("d", "y")]
    items = ItemTable(tuple(ODD), tuple(ODD.values()), pd.DataFrame(index=range(3)))
    data = Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item"]), items=items, name="odd")
    model = CollaborativeAttention(min_events=1, regularization=1.0).fit(data)
    for user, item in (("c", "y"), ("c", "z"), ("b", "z")):
        assert mismatches(model.explain(user=user, item=item), lang, depth) == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_many_names_are_read_one_way(lang: str) -> None:
    """A text that no sentence matches is refused at once: with two ways to read a name there are 2⁴⁰ to read forty."""
    names = [f"Item {n}" for n in range(40)]
    said = t("words.drop_alone", lang, names=joined(names, lang), k=3)
    begun = time.process_time()
    [claim] = read_back(said, lang, "paragraph")
    assert [name.title for name in claim.names] == names
    with pytest.raises(InputError):
        read_back(said[:-1] + "?", lang, "paragraph")
    assert time.process_time() - begun < 5
