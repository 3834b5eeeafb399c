"""The words of refusals: every code is worded in both languages and used, and no English strays into Chinese."""

from __future__ import annotations

import ast
import copy
import io
import pickle
import re
import string
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from xattn import Interactions, attend, attention, errors, load_dataset, load_model, read_interactions, softmax
from xattn.app.learn.sheet import decode
from xattn.app.yours import pasted
from xattn.cli import main
from xattn.data.synthetic import planted
from xattn.errors import (
    DataError,
    InputError,
    MessageError,
    ModelFileError,
    NotFittedError,
    UnknownIdError,
    XattnError,
    check_array,
    check_choice,
    check_counts,
    check_fitted,
    check_given,
    check_index_array,
    check_mask,
    check_named,
    check_number,
    check_range,
    check_same_length,
    check_whole,
    refuse,
    shown,
)
from xattn.evaluate import evaluate, search
from xattn.i18n import keys
from xattn.i18n.catalogue import wording
from xattn.i18n.sentence import Quoted, fill, plain
from xattn.recommenders import EASE, HybridAttention, Popularity

PACKAGE = Path(errors.__file__).parents[1]
OTHER = "refusal.other"  # a sentence of somebody else
REFUSALS = [key for key in keys() if key.startswith("refusal.") and key != OTHER]
PHRASES = [key for key in keys() if key.startswith("phrase.")]
CLASSES = [XattnError, InputError, UnknownIdError, DataError, ModelFileError, NotFittedError, MessageError]
MARKS = re.compile(r"phrase|refusal|argument|names|list|quoted|[,.0-9]*[dgf]?")


# --- the catalogue ----------------------------------------------------------------------------------------------------


def parts(text: str) -> Iterator[tuple[str, str, str]]:
    """(name, conversion, mark) of each placeholder."""
    for _, name, mark, conversion in string.Formatter().parse(text):
        if name is not None:
            yield name, conversion or "", mark or ""


@pytest.mark.parametrize("key", REFUSALS + PHRASES)
def test_every_field_of_a_chinese_sentence_is_quoted_a_number_or_a_phrase(key: str) -> None:
    """A bare field may hold English words; in backticks it is a name."""
    text = wording(key)["zh"]
    for name, conversion, mark in parts(text):
        bare = not conversion and not mark
        assert not bare or f"`{{{name}}}`" in text or f"--{{{name}}}" in text, f"{name} stands bare"
        assert conversion in ("", "r")
        assert MARKS.fullmatch(mark), mark


@pytest.mark.parametrize("key", REFUSALS + PHRASES)
def test_chinese_holds_no_english_words(key: str) -> None:
    text = re.sub(r"`[^`]*`|{[^}]*}|--[\w-]+|（[^）]*）", "", wording(key)["zh"])
    assert not re.search("[A-Za-z]{2,}", text) or key in ENGLISH, text


ENGLISH = {  # names that Chinese readers know by their English word
    "refusal.axes_of_number": "None",
    "refusal.logits": "-inf",
}


@pytest.mark.parametrize("key", REFUSALS)
def test_a_refusal_is_one_sentence_in_each_language(key: str) -> None:
    assert wording(key)["en"].endswith((".", "{why:refusal}"))
    assert " must " in wording(key)["en"]
    assert wording(key)["zh"].endswith(("。", "{why:refusal}"))


def codes(source: str) -> Iterator[str]:
    """The codes that one file's source refuses with: the texts in the first argument of `refuse`, and ``code=``."""
    tree = ast.parse(source)
    own = any(isinstance(node, ast.FunctionDef) and node.name == "refuse" for node in ast.walk(tree))  # another one
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            named = [word.value for word in node.keywords if word.arg == "code" and name.endswith("Error")]
            for given in named + (node.args[:1] if name == "refuse" and not own else []):
                for part in (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value


def texts(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


SOURCES = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]


def test_every_code_is_in_the_catalogue() -> None:
    assert sorted({f"refusal.{code}" for source in SOURCES for code in codes(source)} - set(REFUSALS)) == []


def test_every_refusal_and_every_phrase_is_used() -> None:
    """A code stands somewhere in the package as a text of its own; a phrase there or in another text."""
    spoken = {text for source in SOURCES for text in texts(source)}
    assert sorted(key for key in REFUSALS if key.partition(".")[2] not in spoken) == []
    spoken |= {f"number_{low}_{high}" for low in ("over", "from") for high in ("to", "under")}
    spoken |= {f"number_{span}" for span in ("any", "over", "from", "to", "under")}
    spoken |= {f"whole_{span}" for span in ("from", "from_to")}
    assert sorted(key for key in PHRASES if not spoken & {key, key.partition(".")[2]}) == []


OF_A_SOURCE = {"where", "source", "first", "at", "n"}  # fields that `Source.refuse` and `Desk.refuse` add


def unfilled(source: str) -> Iterator[str]:
    """The fields that a refusal's sentence wants and a call of `refuse` does not give: an error nobody could read.

    A phrase that is named in the call is looked into as well. Calls with ``**fields`` cannot be judged."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or any(word.arg is None for word in node.keywords):
            continue
        function = node.func
        own = isinstance(function, ast.Name) and function.id == "refuse"
        if not own and not (isinstance(function, ast.Attribute) and function.attr == "refuse"):
            continue
        given = {word.arg: word.value for word in node.keywords}
        known = set(given) | (set() if own else OF_A_SOURCE)
        for code in codes(ast.unparse(node)):
            keys_to_see = [f"refusal.{code}"] if f"refusal.{code}" in REFUSALS else []
            while keys_to_see:
                for name, _, mark in parts(wording(keys_to_see.pop())["en"]):
                    if name not in known:
                        yield f"{code}: {name}"
                    value = given.get(name)
                    options = (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)
                    if mark == "phrase":
                        named = [str(option.value) for option in options if isinstance(option, ast.Constant)]
                        keys_to_see += [key if "." in key else f"phrase.{key}" for key in named]


def test_every_refusal_gives_the_fields_of_its_sentence() -> None:
    own = [source for source in SOURCES if "def refuse(" not in source]
    assert sorted(fault for source in own for fault in unfilled(source)) == []


def test_missing_fields_are_found() -> None:
    assert list(unfilled('refuse("flag", got=1)')) == ["flag: name"]
    assert list(unfilled('refuse("index", name="x", what="offset", found="type")')) == ["index: dtype"]
    assert list(unfilled('source.refuse("no_items")')) == []
    assert list(unfilled('refuse("no_items")')) == ["no_items: where"]


def test_codes_are_found_in_code() -> None:
    found = codes('refuse("a", got=1); source.refuse("b" if x else "c"); InputError(code="d"); f("e"); refuse(code)')
    assert sorted(found) == ["a", "b", "c", "d"]


# --- sentences --------------------------------------------------------------------------------------------------------


class Model:
    pass


SAID: list[tuple[Callable[[], Any], str, str]] = [
    (
        lambda: check_number("beta", "x", low=0, high=1),
        "`beta` must be a finite number >= 0 and <= 1; got 'x'.",
        "`beta` 必须是介于 0 到 1 之间的有限数；收到 'x'。",
    ),
    (
        lambda: check_whole("k", 0, low=1),
        "`k` must be a whole number >= 1; got 0.",
        "`k` 必须是不小于 1 的整数；收到 0。",
    ),
    (
        lambda: check_range("year", (2.0, 1.0)),
        "`year` must be a range (low, high) with low <= high; got (2, 1).",
        "`year` 必须是下限不大于上限的范围；收到 (2, 1)。",
    ),
    (
        lambda: check_choice("scorer", "c", ("a", "b")),
        "`scorer` must be one of a, b; got 'c'.",
        "`scorer` 必须是以下之一：a、b；收到 'c'。",
    ),
    (
        lambda: check_array("keys", [1.0], ndim=2),
        "`keys` must be a table (rows × columns); got 1 dimension.",
        "`keys` 必须是表格（行 × 列）；收到 1 维数组。",
    ),
    (
        lambda: check_index_array("item", [0.5], size=3, what="item_row"),
        "`item` must be a vector of whole item row numbers; got values of type float64.",
        "`item` 必须是由整数物品行号组成的向量；收到的是类型为 float64 的值。",
    ),
    (
        lambda: check_mask("mask", [1, 0], size=2),
        "`mask` must be a vector of 2 true or false values; got values of type int64 and shape (2,).",
        "`mask` 必须是由 2 个真假值组成的向量；收到的是类型为 int64、形状为 (2,) 的值。",
    ),
    (
        lambda: check_counts("n", [1, 9], parts=2, low=0, high=3),
        "`n` must be a whole number from 0 to 3, or a vector of 2 of them; got 9.",
        "`n` 必须是 0 到 3 之间的整数，或由 2 个这样的数组成的向量；收到的是值 9。",
    ),
    (
        lambda: check_same_length(keys=2, values=3),
        "`keys` and `values` must have the same length; got keys 2, values 3.",
        "`keys` 和 `values` 的长度必须相同；收到 keys 2、values 3。",
    ),
    (
        lambda: check_named("where", "x", ["Drama"], "value_of", column="genres"),
        "`where` must name a value of 'genres' ('Drama'); got 'x'.",
        "`where` 必须是列 'genres' 的一个值（'Drama'）；收到 'x'。",
    ),
    (
        lambda: check_given("v", None, wanted=True, when="scorer", choice="additive"),
        "`v` must be given with scorer additive; got none.",
        "打分方式 `additive` 要求给出 `v`；现在没有给出。",
    ),
    (
        lambda: check_fitted(Model(), "base_"),
        "`Model` must be fitted before it is used; call `fit` first.",
        "`Model` 必须先拟合才能使用；请先调用 `fit`。",
    ),
]


@pytest.mark.parametrize(("refused", "english", "chinese"), SAID)
def test_refusals_speak_both_languages(refused: Callable[[], Any], english: str, chinese: str) -> None:
    with pytest.raises(XattnError) as caught:
        refused()
    assert (str(caught.value), caught.value.told("en"), caught.value.told("zh")) == (english, english, chinese)


@pytest.mark.parametrize("low", [-np.inf, 0.0])
@pytest.mark.parametrize("high", [np.inf, 1.0])
@pytest.mark.parametrize("open_low", [True, False])
@pytest.mark.parametrize("open_high", [True, False])
@pytest.mark.parametrize("finite", [True, False])
def test_every_span_of_numbers_is_worded(
    low: float, high: float, open_low: bool, open_high: bool, finite: bool
) -> None:
    with pytest.raises(InputError) as caught:
        check_number("x", np.nan, low=low, high=high, open_low=open_low, open_high=open_high, finite=finite)
    marks = [sign for sign in ("> 0", ">= 0", "< 1", "<= 1") if sign in str(caught.value)]
    wanted = [[">= 0", "> 0"][open_low]] * (low == 0) + [["<= 1", "< 1"][open_high]] * (high == 1)
    assert marks == wanted
    assert ("finite" in str(caught.value), "有限" in caught.value.told("zh")) == (finite, finite)


def asked(*words: str) -> Callable[[], Any]:
    """A command of the command line, whose refusal comes through."""
    return lambda: main(list(words), standalone_mode=False)


DATA = planted("copurchase", n_users=20, seed=0).data
REAL: list[Callable[[], Any]] = [
    lambda: EASE(regularization=-1).fit(DATA),
    lambda: EASE().fit(None),
    lambda: EASE().recommend(user="1"),
    lambda: HybridAttention(recency=()).fit(DATA),
    lambda: Popularity().fit(DATA).recommend(user="nobody"),
    lambda: Popularity().fit(DATA).recommend(user="0", history=["x"]),
    lambda: Popularity().fit(DATA).recommend(history=["nowhere", "nor here"]),
    lambda: Popularity().fit(DATA).recommend(history=["i0"], where={"colour": "red"}),
    lambda: Popularity().fit(DATA).save("/nosuch/folder/m.npz"),
    lambda: load_model("/nosuch/folder/m.npz"),
    lambda: evaluate(DATA, [Popularity()], protocol="rating"),
    lambda: evaluate(DATA, [Popularity()], positive=3.0),
    lambda: evaluate(DATA, [], protocol="holdout"),
    lambda: search(DATA, EASE(regularization=-1.0), {"n_neighbors": [None]}),
    lambda: Popularity().fit(DATA).recommend(user="0", candidates="i1"),
    lambda: Interactions.from_frame(pd.DataFrame({"user": ["a"]})),
    lambda: Interactions.from_frame(pd.DataFrame({"user": ["a"], "item": [None]})),
    lambda: Interactions.from_frame(pd.DataFrame({"user": ["a"], "item": ["b"], "time": ["then"]})),
    lambda: Interactions.from_frame(pd.DataFrame({"user": ["a"], "item": ["b"], "rating": ["x"], "time": ["then"]})),
    lambda: Interactions.from_frame(None),
    lambda: load_dataset("nosuch"),
    lambda: read_interactions(io.BytesIO(b"user,item\na,b\nc\nd\n")),
    lambda: read_interactions(io.BytesIO(b'user,item\na,"b\n')),
    lambda: read_interactions(io.BytesIO(b"%PDF-1.7")),
    lambda: read_interactions(io.BytesIO(b"")),
    lambda: read_interactions("/nosuch/file.csv"),
    lambda: attention([1.0], [[1.0]], [[1.0]]),
    lambda: attend([1.0], [[1.0, 2.0]], [[1.0]]),
    lambda: attend([1.0], [["x"]], [[1.0]], scorer="additive"),
    lambda: softmax(np.ma.masked_array([1.0])),
    lambda: decode("1*q-x"),
    lambda: pasted.read("a,b"),
    asked("recommend", "--user", "1"),
    asked("recommend", "--data", "movielens-small", "--items", "x.csv", "--user", "1"),
    asked("tune", "--data", "movielens-small", "--model", "EASE", "--over", "x"),
    asked("evaluate", "--data", "movielens-small", "--models", "EASE,ease"),
    asked("evaluate", "--data", "movielens-small", "--models", "nosuch"),
    asked("explain", "--data", "movielens-small", "--user", "1"),
]


@pytest.mark.parametrize("refused", REAL)
def test_what_the_library_refuses_is_chinese_in_chinese(refused: Callable[[], Any]) -> None:
    """No two English words stand side by side, but in backticks, in quotes or in brackets."""
    with pytest.raises(XattnError) as caught:
        refused()
    assert caught.value.code != "other"
    chinese = caught.value.told("zh")
    assert re.search("[\u4e00-\u9fff]", chinese)
    left = re.sub(r"`[^`]*`|'[^']*'|\([^)]*\)|\[[^]]*\]", "", chinese)
    assert not re.search(r"[A-Za-z]+ +[A-Za-z]+", left), chinese


def test_an_error_holds_its_code_and_what_was_got() -> None:
    with pytest.raises(InputError) as caught:
        check_whole("k", 99, low=1, high=10)
    error = caught.value
    assert error.code == "whole"
    assert error.fields == {"name": "k", "got": 99, "low": 1, "high": 10, "span": "whole_from_to"}
    assert repr(error) == "InputError('`k` must be a whole number from 1 to 10; got 99.')"
    assert error.__suppress_context__


def test_a_plain_sentence_is_the_same_in_every_language() -> None:
    error = DataError("it must be so; got otherwise.")
    assert (error.code, str(error)) == ("other", error.told("zh"))
    assert error.fields == {"sentence": "it must be so; got otherwise."}
    with pytest.raises(InputError, match="`lang` must be one of en, zh; got 'fr'."):
        error.told("fr")


def test_no_words_are_made_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> Any:
        raise AssertionError("the catalogue was read")

    monkeypatch.setattr("xattn.i18n.catalogue.texts", read)
    with pytest.raises(InputError) as caught:
        check_number("x", "y")
    with pytest.raises(AssertionError):
        str(caught.value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), "np.float32(0.5)"),
        (np.float64(0.5), 0.5),
        ("a" * 999, "a" * 200),
        (("a", 2), ("a", 2)),
        ([1.0], "[1.0]"),
        (None, None),
        (True, True),
        (10**70, "1000000000000000000000000000000000000000000000000000000000…"),
        (np.ones(2), "array([1., 1.])"),
        (lambda: 0, None),
    ],
)
def test_fields_are_plain_values(given: Any, kept: Any) -> None:
    field = InputError(code="flag", name="x", got=given).fields["got"]
    assert type(field) in (str, Quoted, int, float, bool, tuple, type(None))
    assert callable(given) or field == kept


def test_what_is_quoted_once_is_not_quoted_again() -> None:
    quoted = plain([1.0])
    assert (
        fill("{a!r} {b!r} {c!r}", {"a": quoted, "b": "[1.0]", "c": (quoted, "x")}, str) == "[1.0] '[1.0]' ([1.0], 'x')"
    )
    assert shown(quoted) == plain(quoted) == quoted


def test_a_field_is_no_template() -> None:
    """A text that somebody gave is not read for placeholders, and stays on one line."""
    assert str(InputError(code="flag", name="{got}\n", got="{name}")) == "`{got} ` must be true or false; got '{name}'."


# --- copies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("same", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_an_error_survives_copying(kind: type[XattnError], same: Callable[[Any], Any]) -> None:
    for error in (kind(code="flag", name="x", got=[1]), kind("a sentence.")):
        other = same(error)
        assert type(other) is kind
        assert (str(other), other.told("zh")) == (str(error), error.told("zh"))
        assert (other.code, other.fields) == (error.code, error.fields)


def test_an_error_survives_the_way_from_another_process() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        error = pool.submit(check_array, "keys", [object()], ndim=1).exception(timeout=60)
    assert isinstance(error, InputError)
    assert str(error) == "`keys` must be a vector of real numbers; got values of type object."
    assert error.fields["dtype"] == "object"


@pytest.mark.parametrize("kind", CLASSES)
def test_the_public_place_is_named(kind: type[XattnError]) -> None:
    assert kind.__module__ == "xattn.errors"
    with pytest.raises(kind, match="`x` must be true or false; got 1."):
        refuse("flag", kind=kind, name="x", got=1)
