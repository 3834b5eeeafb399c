"""The words of refusals: every code is worded in both languages and used, and no English strays into Chinese."""

from __future__ import annotations

import ast
import copy
import pickle
import re
import string
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xattn import errors
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
from xattn.i18n import keys
from xattn.i18n.catalogue import wording
from xattn.i18n.sentence import Quoted, fill, plain

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
