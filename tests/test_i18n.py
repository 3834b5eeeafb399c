"""The catalogue is complete in both languages and in step with the code; a wrong use of it is told in one sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from xattn.errors import InputError, MessageError, XattnError
from xattn.i18n import LANGUAGES, keys, placeholders, t
from xattn.i18n.catalogue import BrokenCatalogue, merge, wording

PACKAGE = Path(__file__).parents[1] / "xattn"
SPEAKERS = {"t"}  # names of the functions whose first argument is a key
DYNAMIC = (
    "term.",
    "meaning.",
    "phrase.",
    "recommendations.because_",
    "genre.",
    "head.",
    "link.must_",
    "behaviour.paste_",
    "card.file_",
    "fetch.",
    "front.door_",
    "refusal.",
    "old.",
    "report.",
    "questions.",
    "worked.erratum.",
    "worked.says.",
    "interests.",
    "look.",  # what pictures show, and sounds are like
    "pitch.",
    "skipped.",
    "streamlit.",
    "worked.step.",
    "data.",
    "words.arrival.",
    "words.average.",
    "words.clause_",
    "words.confidence_",
    "words.did.",
    "words.foreign.",
    "words.scenario.",
    "words.outside_",
    "words.sentence_",
    "export.level_",
    "picture.said_",
    "pipeline.frame_",
    "pipeline.",
    "scenarios.by_",
    "scenarios.claim_",
    "scenarios.go_",
    "scenarios.on_",
    "scenarios.picture_",
    "recommendations.said_",
    "recommendations.say_",
    "live.column_",
    "live.part_",
    "live.source_",
    "live.opinion_",
    "live.kind_",
    "live.preview_",
    "satisfaction.",
    "tour.",
    "transparency.change_",
    "transparency.data_",
    "why.confidence_",
    "why.depth_",
    "why.file_",
    "why.note_",
    "lab.by_age_",
    "lab.column_",
    "lab.explainer_",
    "lab.group_",
    "lab.measure_",
    "lab.fifth_",
    "lab.job_",
    "lab.means_",
    "lab.metric_",
    "lab.part_",
    "lab.parts_data_",
    "lab.parts_score_",
    "lab.parts_side_",
    "lab.parts_sum_",
    "lab.parts_with_",
    "lab.run_",
    "lab.says_",
    "lab.test_",
    "lab.training_",
    "lab.verdict_",
    "mine.way_",
    "mine.kind_",
    "mine.do_",
    "other.",
)  # groups of keys whose last part is computed: t(f"term.{name}")
SAME_IN_BOTH = {  # marks and names alone
    "lab.explainer_kernel_shap",
    "lab.explainer_lime",
    "mark.aside",
    "mark.aside_alone",
    "mark.clause",
    "mark.part",
    "mark.said",
    "phrase.comma",
    "phrase.names",
    "phrase.number_any",
    "phrase.source",
    "picture.reason",
    "refusal.other",
    "words.and",
    "words.feature",
    "words.named",
    "words.plain",
    "words.said",
    "words.tail_end",
}
SEPARATORS = {
    "phrase.and",
    "mark.clause",
    "mark.part",
    "phrase.comma",
    "words.and",
    "words.and_last",
}  # texts that stand between two others and may end with a blank


# --- the texts --------------------------------------------------------------------------------------------------------


def is_chinese(text: str) -> bool:
    """The text holds at least one Chinese character."""
    return any("\u4e00" <= c <= "\u9fff" for c in text)


@pytest.mark.parametrize("key", keys())
def test_text_is_whole_in_both_languages(key: str) -> None:
    texts = wording(key)
    assert set(texts) == set(LANGUAGES)
    assert placeholders(key, "en") == placeholders(key, "zh")
    assert all(name.isidentifier() and name != "lang" for name in placeholders(key)), "placeholders are plain names"
    assert key in SEPARATORS or all(text == text.strip() for text in texts.values()), "no blanks around a text"
    assert not is_chinese(texts["en"])
    assert is_chinese(texts["zh"]) or key in SAME_IN_BOTH
    assert not re.search(r"[\d}] %", " ".join(texts.values())), "a percent sign stands at its number"


def test_each_word_is_explained() -> None:
    words, meanings = ({k.split(".", 1)[1] for k in keys() if k.startswith(group)} for group in DYNAMIC[:2])
    assert words == meanings
    for word in words:
        assert t(f"meaning.{word}", "en").endswith(".")
        assert t(f"meaning.{word}", "zh").endswith("。")


def test_chinese_marks_are_full_width() -> None:
    half = re.compile("[\u4e00-\u9fff）》”][,;!?]|[\u4e00-\u9fff）》”]: |[,;!?] ?[\u4e00-\u9fff]")
    assert [key for key in keys() if half.search(wording(key)["zh"])] == []


BOLD_TO_A_MARK = re.compile(r"\*\*[^*]+[，。：；！？、）》”]\*\*(?=[^\s*])")


def test_bold_texts_end_before_a_mark_or_before_a_blank() -> None:
    """Between a mark and a letter, ** closes nothing in Markdown: both pairs would stand on the page."""
    assert BOLD_TO_A_MARK.search("**植入的原因：**0.75 秒")
    assert not BOLD_TO_A_MARK.search("**变化。** 一个进入")
    assert not [key for key in keys() if BOLD_TO_A_MARK.search(wording(key)["zh"])]


def test_exceptions_are_needed() -> None:
    assert {key for key in SAME_IN_BOTH if not is_chinese(wording(key)["zh"])} == SAME_IN_BOTH


# --- the code that uses them ------------------------------------------------------------------------------------------


def used(source: str) -> Iterator[tuple[str, str]]:
    """The keys in one file's source: ("key", k) as t's literal argument, ("prefix", p) as the fixed beginning of an
    f-string there, ("text", s) for any other string, which may reach t through a variable."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield "text", node.value
        if isinstance(node, ast.Call) and node.args and speaker(node.func):
            key = node.args[0]
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield "key", key.value
            elif isinstance(key, ast.JoinedStr):
                head = key.values[0]
                yield "prefix", str(head.value) if isinstance(head, ast.Constant) else ""


def speaker(function: ast.expr) -> bool:
    """The called function takes a key first: t(...), i18n.t(...)."""
    name = (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )
    return name in SPEAKERS


def uses(kind: str) -> set[str]:
    """All uses of one kind in the package, outside of the catalogue itself."""
    files = (path for path in PACKAGE.rglob("*.py") if path.parent.name != "i18n" or path.name == "joined.py")
    return {text for path in files for found, text in used(path.read_text("utf-8")) if found == kind}


def test_every_key_in_the_code_exists() -> None:
    assert sorted(uses("key") - set(keys())) == []


def test_every_computed_key_has_a_declared_prefix() -> None:
    assert sorted(prefix for prefix in uses("prefix") if not prefix.startswith(DYNAMIC)) == []


def test_every_declared_prefix_has_texts() -> None:
    assert [prefix for prefix in DYNAMIC if not any(key.startswith(prefix) for key in keys())] == []


def test_every_text_is_used() -> None:
    assert sorted(key for key in set(keys()) - uses("text") if not key.startswith(DYNAMIC)) == []


HALF_WIDTH = re.compile(r"[*]*( \(|[,;:!?] )")  # a mark of English that follows a text


def half_width(source: str) -> Iterator[int]:
    """Lines that put an English mark beside a text of the catalogue: f"{t(…)}: …", ", ".join(t(…) …)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            pairs = zip(node.values, node.values[1:], strict=False)
            after = (mark for text, mark in pairs if isinstance(text, ast.FormattedValue) and speaks(text))
            if any(isinstance(mark, ast.Constant) and HALF_WIDTH.match(str(mark.value)) for mark in after):
                yield node.lineno
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
            mark = node.func.value
            if isinstance(mark, ast.Constant) and mark.value in {", ", "; ", ": "} and any(map(speaks, node.args)):
                yield node.lineno


def speaks(node: ast.AST) -> bool:
    """A text of the catalogue is asked for in the expression."""
    return any(isinstance(own, ast.Call) and speaker(own.func) for own in ast.walk(node))


def test_marks_beside_texts_come_from_the_catalogue() -> None:
    written = PACKAGE / "scenarios/write.py"  # TOML, not sentences
    files = (path for path in PACKAGE.rglob("*.py") if path != written)
    assert [(path.name, line) for path in files for line in half_width(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "code", ['f"{t(k)}: {x}"', 'f"**{t(k)}** ({x})"', '"; ".join([t(k), x])', 'f"{ab(t(k))}, {x}"']
)
def test_half_width_marks_are_found(code: str) -> None:
    assert list(half_width(code)) == [1]
    assert not list(half_width('f":material/check: {t(k)} · {t(k)}"; clauses([t(k), x], lang)'))


def test_uses_are_found_in_code() -> None:
    source = 't("a.b"); i18n.t("c", lang); t(f"page.{n}.title", lang); t(f"{n}"); label = "d.e"; other(f"x.{n}")'
    found = set(used(source))
    assert {("key", "a.b"), ("key", "c"), ("prefix", "page."), ("prefix", ""), ("text", "d.e")} <= found
    assert ("prefix", "x.") not in found


# --- the function -----------------------------------------------------------------------------------------------------

PLANTED = """
[n.items]
en = "{n} items, {share:.0%} of {{all}}"
zh = "{n} 个物品，占{{全部}}的 {share:.0%}"
"""


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue of one text with placeholders, a format and braces."""
    texts = merge({"planted.toml": PLANTED})
    monkeypatch.setattr("xattn.i18n.catalogue.texts", lambda: texts)


@pytest.mark.usefixtures("planted")
def test_values_take_the_places_of_placeholders() -> None:
    assert t("n.items", n=3, share=0.25) == "3 items, 25% of {all}"
    assert t("n.items", "zh", n=3, share=0.25, unused=1) == "3 个物品，占{全部}的 25%"
    assert placeholders("n.items", "zh") == {"n", "share"}


@pytest.mark.usefixtures("planted")
def test_values_are_not_read_as_texts() -> None:
    assert t("n.items", n="{share} {0} {n.__class__}", share=0) == "{share} {0} {n.__class__} items, 0% of {all}"


@pytest.mark.usefixtures("planted")
def test_a_missing_value_is_named() -> None:
    with pytest.raises(MessageError, match="text 'n.items' must be given a value for each placeholder; `share` is"):
        t("n.items", n=3)


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("share", ["much", None, [1]])
def test_a_value_that_does_not_fit_is_told(share: object) -> None:
    with pytest.raises(MessageError, match="text 'n.items' must be given values that fit its placeholders; got "):
        t("n.items", n=3, share=share)


@pytest.mark.parametrize("key", ["nosuch", "", "term", "term.event.en", "TERM.EVENT", "a" * 500])
def test_an_unknown_key_is_refused(key: str) -> None:
    with pytest.raises(MessageError, match="`key` must name a text of the catalogue; got ") as caught:
        t(key)
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, XattnError)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("lang", ["fr", "", "EN", "zh-CN", None, 1])
def test_an_unknown_language_is_refused(lang: object) -> None:
    with pytest.raises(InputError, match="`lang` must be one of en, zh; got "):
        t("term.event", lang)  # type: ignore[arg-type]


# --- the catalogue files ----------------------------------------------------------------------------------------------

YES = "[word.yes]\nen = 'yes'\nzh = '是'\n"


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        ({"a.toml": YES, "b.toml": YES}, "'word.yes' of b.toml stands twice"),
        ({"a.toml": YES + YES}, "catalogue file a.toml must be TOML with each key once; got: "),
        ({"a.toml": "word"}, "catalogue file a.toml must be TOML"),
        ({"a.toml": "[word.yes]\nen = 'yes'"}, "text 'word.yes' of a.toml must hold en and zh alone"),
        ({"a.toml": YES + "fr = 'oui'"}, "text 'word.yes' of a.toml must hold en and zh alone"),
        ({"a.toml": "[yes]\nen = 'yes'\nzh = ' '"}, "text 'yes' of a.toml must hold en and zh alone"),
        ({"a.toml": "[yes]\nen = 'yes'\nzh = 1"}, "text 'yes' of a.toml must hold en and zh alone"),
        ({"a.toml": "[yes]"}, "text 'yes' of a.toml must hold en and zh alone"),
        ({"a.toml": "yes = 'yes'"}, "text 'yes' of a.toml must hold en and zh alone"),
        ({"a.toml": YES + "[word.yes.more]\nen = 'y'\nzh = '是'"}, "text 'word.yes' of a.toml must hold"),
    ],
)
def test_a_broken_catalogue_is_refused(sources: dict[str, str], sentence: str) -> None:
    with pytest.raises(BrokenCatalogue, match=sentence):
        merge(sources)
