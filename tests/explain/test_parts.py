"""Cells over words: the parts add up to the cells of their block, on each side, and in files and words too."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xattn
from xattn import ContentAttention, HybridAttention, InputError, Interactions
from xattn.data.synthetic_parts import planted_part
from xattn.explain.tell.export import explanation_schema
from xattn.explain.tell.sides import parts_table, speaking, split
from xattn.features import make_features
from xattn.i18n.numbers import figure
from xattn.testing.texts import mismatches

WORDS = ["heist", "crew", "night", "sea", "robot", "love", "dog", "海", "机器人", "war"]


def stories(rng: np.random.Generator, n: int) -> list[str]:
    return [" ".join(rng.choice(WORDS, rng.integers(0, 7))) for _ in range(n)]


def made(seed: int = 0, new: int = 0) -> Interactions:
    """40 users with eight events among 30 items with a story, and `new` items that nobody has met."""
    rng = np.random.default_rng(seed)
    n = 30 + new
    names = [f"i{row}" for row in range(n)]
    told = stories(rng, n)
    told[:3] = ["a heist with a crew", "the crew plans a heist", "a night at sea with a dog"]
    kinds = [["a", "b"][row % 2] for row in range(n)]
    items = pd.DataFrame({"item": names, "title": [f"Item {row}" for row in range(n)], "story": told, "kind": kinds})
    picked = [rng.choice(30, 8, replace=False) for _ in range(40)]
    events = pd.DataFrame(
        {"user": np.repeat([f"u{u}" for u in range(40)], 8), "item": [names[row] for own in picked for row in own]}
    )
    return xattn.read_interactions(events, items=items)


@given(
    seed=st.integers(0, 10**6),
    who=st.integers(0, 39),
    item=st.integers(0, 29),
    side=st.sampled_from(["event", "target"]),
)
@settings(max_examples=25, deadline=None)
def test_parts_add_up_to_the_cells_of_their_block(seed: int, who: int, item: int, side: str) -> None:
    data = made(seed)
    why = ContentAttention().fit(data).explain(user=f"u{who}", item=f"i{item}")
    parts, cells = why.parts("story", side=side), why.cells[why.cells["feature"].str.startswith("story: ")]
    for position in set(cells["position"]) | set(parts["position"]):
        mine, theirs = (f.loc[f["position"] == position, "contribution"].sum() for f in (parts, cells))
        assert abs(mine - theirs) <= 1e-10
    blocks = why.by("block").set_index("block")["contribution"]
    assert abs(parts["contribution"].sum() - blocks.get("story", 0.0)) <= 1e-10
    assert (parts["contribution"].diff().dropna() <= 0).all()


def test_the_words_are_those_that_both_texts_have() -> None:
    data = made()
    why = ContentAttention().fit(data).explain(history=["i0", "i2"], item="i1")
    assert set(why.parts("story", event="i0")["part"]) == {"heist", "crew"}
    assert set(why.parts("story")["event"]) == {"i0"}
    both = why.parts("story"), why.parts("story", side="target")
    assert both[0]["contribution"].sum() == pytest.approx(both[1]["contribution"].sum(), abs=1e-12)


def test_newcomers_inherit_by_the_words_of_the_target() -> None:
    """Inherited values are linear in the features of the target alone; on the other side they are one part."""
    data = made(new=3)
    why = HybridAttention(learned="never", min_events=1, newcomers=1.0).fit(data).explain(user="u0", item="i30")
    assert any(name.startswith("inherited") for name in why.cells["head"])
    block = why.by("block").set_index("block")["contribution"].get("story", 0.0)
    assert block != 0
    whole = {side: why.parts("story", side=side) for side in ("event", "target")}
    for parts in whole.values():
        assert abs(parts["contribution"].sum() - block) <= 1e-10
    assert "" in set(whole["event"]["part"])
    assert "" not in set(whole["target"]["part"])


def test_a_saved_model_tells_the_same_parts(tmp_path) -> None:  # type: ignore[no-untyped-def]
    model = ContentAttention().fit(made())
    model.save(tmp_path / "m.npz")
    ask = {"user": "u0", "item": "i1"}
    one, other = (m.explain(**ask).parts("story") for m in (model, xattn.load_model(tmp_path / "m.npz")))
    pd.testing.assert_frame_equal(one, other)


def test_blocks_without_parts_say_so() -> None:
    why = ContentAttention().fit(made()).explain(user="u0", item="i1")
    with pytest.raises(InputError, match=r"features split into parts \('story'\); got 'kind', which has none\."):
        why.parts("kind")
    with pytest.raises(InputError, match=r"must name a block of features \('story', 'kind'\); got 'nosuch'\."):
        why.parts("nosuch")
    with pytest.raises(InputError, match=r"`side` must be one of"):
        why.parts("story", side="both")
    absent = next(f"i{row}" for row in range(30) if row not in set(why.history.item.tolist()))
    with pytest.raises(InputError, match=r"`event` must be an item of the explained history"):
        why.parts("story", event=absent)


def test_files_hold_the_parts_and_words_tell_them() -> None:
    truth = planted_part("word", n_users=60)
    why = ContentAttention().fit(truth.data).explain(user="u0", item=f"i{truth.target[0]}")
    assert "” say “" in why.text()
    document = json.loads(why.to_json())
    for side in ("event", "target"):
        assert document["parts"]["look"][side] == why.parts("look", side=side).to_dict(orient="records")
    text = why.text()
    for lang in ("en", "zh"):
        assert mismatches(why, lang, "paragraph") == []
    false = text.replace("say “", "say “nosuch” and “")
    assert mismatches(why, "en", "paragraph", text=false)


def test_files_say_where_the_parts_lie_by_the_schema() -> None:
    why = ContentAttention().fit(made()).explain(history=["i0", "i2"], item="i1")
    document = json.loads(json.dumps(why.explanation()))
    jsonschema.Draft202012Validator(explanation_schema()).validate(document)
    places, stories = document["places"]["story"], why.items_table.frame["story"]
    assert places["kind"] == "words"
    for side, item in (("event", None), ("target", "i1")):
        for row in document["parts"]["story"][side]:
            name = item or row["event"]
            start, stop = (int(x) for x in places["of"][name][str(row["place"])])
            assert stories[why.items_table.row(name)][start:stop].casefold() == row["part"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_of_its_own_marks_the_words_of_both_texts(lang: str) -> None:
    data = made()
    told = [f"<b>{text}</b> & more" for text in data.items.frame["story"]]
    table = replace(data.items, frame=data.items.frame.assign(story=told))
    why = ContentAttention().fit(replace(data, items=table)).explain(history=["i0", "i2"], item="i1")
    found = split(why, "story", "i0")
    page = why.to_html(lang)
    marks = re.findall(r'<mark class="(?:for|against)(?: most)?">−?(\w+)</mark>', page)
    assert marks == [p.text for side in (found.own, found.other) for p in side.pieces if p.amount is not None]
    assert {"heist", "crew"} <= set(marks)
    assert "&lt;b&gt;" in page
    assert "<b>a " not in page
    assert figure(found.amount, sign=True) in page


def test_both_sides_of_one_event_add_up_and_long_texts_are_cut_to_their_words() -> None:
    data = made()
    long = ["a heist " + "of nothing much " * 60 + "by the crew", *data.items.frame["story"][1:]]
    table = replace(data.items, frame=data.items.frame.assign(story=long))
    why = ContentAttention().fit(replace(data, items=table)).explain(history=["i0", "i2"], item="i1")
    assert speaking(why, "story")[0] == "i0"
    found = split(why, "story", "i0")
    for side in (found.own, found.other):
        assert side.amounts.sum() + side.rest == pytest.approx(found.amount, abs=1e-12)
        assert sum(p.amount or 0.0 for p in side.pieces) + side.rest == pytest.approx(found.amount, abs=1e-12)
    listed = parts_table(found)
    assert listed["own"].sum() == pytest.approx(found.amount, abs=1e-12)
    assert listed["other"].sum() == pytest.approx(found.amount, abs=1e-12)
    told = "".join(piece.text for piece in found.own.pieces)
    assert told.startswith("a heist")
    assert told.endswith("by the crew")
    assert "…" in told
    assert len(told) < 400


def test_a_column_of_descriptions_is_title_and_text() -> None:
    items = pd.DataFrame({"item": ["a", "b", "c"], "description": ["red hat", "red shoe", "blue shoe"]})
    events = pd.DataFrame({"user": ["u", "u", "v", "v"], "item": ["a", "b", "b", "c"]})
    data = xattn.read_interactions(events, items=items)
    assert data.items.titles == ("red hat", "red shoe", "blue shoe")
    why = ContentAttention().fit(data).explain(history=["a"], item="b")
    assert list(why.parts("description")["part"]) == ["red"]
    named = xattn.read_interactions(events, items=items.rename(columns={"description": "title"}))
    assert list(named.items.frame.columns) == []


# --- removals --------------------------------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 10**6),
    who=st.integers(0, 39),
    item=st.integers(0, 32),
    hybrid=st.booleans(),
    threshold=st.sampled_from([0.0, 0.05]),
    side=st.sampled_from(["event", "target"]),
)
@settings(max_examples=15, deadline=None)
def test_what_is_announced_for_a_part_is_served(
    seed: int, who: int, item: int, hybrid: bool, threshold: float, side: str
) -> None:
    kind = HybridAttention(learned="never", min_events=1, newcomers=1.0, dtype="float64", threshold=threshold)
    model = (kind if hybrid else ContentAttention(threshold=threshold)).fit(made(seed, new=3))
    why = model.explain(user=f"u{who}", item=f"i{item}")
    found = why.part_removals("story", side=side)
    assert (found["effect"].diff().dropna() >= 0).all()
    for row in found.to_dict("records")[:6]:
        twin = model.without_parts("story", row["event"], [row["place"]])
        served = twin.scores_of(why.history)[why.question.target]
        assert abs(served - row["score_without"]) <= 1e-10
        assert twin.explain(user=f"u{who}", item=f"i{item}").score == served
        again = twin.explain(user=f"u{who}", item=f"i{item}")
        assert abs(again.base + again.cells["contribution"].sum() - served) <= 1e-10
    named = set(found["part"])
    assert set(why.parts("story", side=side).query("abs(contribution) > 1e-12")["part"]) - {""} <= named


def test_other_items_of_the_same_words_keep_theirs() -> None:
    """Items of equal features are scored once; one of them without a word is another."""
    items = pd.DataFrame(
        {"item": list("abcdef"), "title": list("abcdef"), "story": ["a red hat"] * 3 + ["blue hat"] * 3}
    )
    events = pd.DataFrame({"user": ["u", "u", "v", "v", "w", "w"], "item": ["a", "b", "d", "e", "c", "f"]})
    data = xattn.read_interactions(events, items=items)
    data = replace(data, items=data.items.with_features(make_features(data.items, {"story": "text"})))
    model = ContentAttention().fit(data)
    before, after = (m.score("u") for m in (model, model.without_parts("story", "c", [0])))
    assert (before != after).tolist() == [False, False, True, False, False, False]


def test_a_model_without_parts_leaves_the_model_alone_and_is_not_saved(tmp_path) -> None:  # type: ignore[no-untyped-def]
    model = ContentAttention().fit(made())
    before = model.score("u0")
    twin = model.without_parts("story", "i1", [0, 1, 2])
    assert (twin.score("u0") != before).any()
    np.testing.assert_array_equal(model.score("u0"), before)
    with pytest.raises(InputError, match="must have all parts of its items"):
        twin.save(tmp_path / "twin.npz")
    with pytest.raises(InputError, match="`places`"):
        model.without_parts("story", "i1", [99])
    with pytest.raises(InputError, match="features split into parts"):
        model.without_parts("kind", "i1", [0])


def test_a_model_that_is_no_sum_removes_no_parts() -> None:
    why = xattn.Popularity().fit(made()).explain(user="u0", item="i1")
    with pytest.raises(InputError, match="must be a sum of parts"):
        why.part_removals("story")
