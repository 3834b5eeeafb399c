"""Word vectors: learned from a column or read from a file; named by words, split over words, exact when some go."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xattn
from xattn import ContentAttention, HybridAttention, InputError, Interactions, ItemTable
from xattn.data.feature_set import places_of
from xattn.features import make_features
from xattn.features.text import vector_file
from xattn.features.text.embedding import near_counts, trained_vectors, turned
from xattn.features.text.vectors import Vectors

HEISTS = ["heist", "robbery", "crew", "bank", "safe"]
GARDENS = ["garden", "flower", "rose", "tulip", "lawn"]


def stories(n: int, seed: int = 0) -> list[str]:
    """Texts of three words, half of heists and half of gardens, and one in four that mixes both."""
    rng = np.random.default_rng(seed)
    told = [" ".join(rng.choice((HEISTS, GARDENS)[row % 2], 3, replace=False)) for row in range(n)]
    told[::4] = [f"{text} {rng.choice(HEISTS + GARDENS)}" for text in told[::4]]
    return told


def made(seed: int = 0, block: object = None, new: int = 0) -> Interactions:
    """40 users with eight events among 30 items whose stories are vectors, and `new` items that nobody has met."""
    rng = np.random.default_rng(seed)
    names = [f"i{row}" for row in range(30 + new)]
    items = pd.DataFrame({"item": names, "title": names, "story": stories(30 + new, seed)})
    items["kind"] = [["a", "b"][row % 2] for row in range(len(items))]
    picked = [rng.choice(30, 8, replace=False) for _ in range(40)]
    events = pd.DataFrame(
        {"user": np.repeat([f"u{u}" for u in range(40)], 8), "item": [names[row] for own in picked for row in own]}
    )
    data = xattn.read_interactions(events, items=items)
    features = make_features(data.items, {"story": block or Vectors(dimensions=6)})  # type: ignore[dict-item]
    return replace(data, items=data.items.with_features(features))


# --- vectors ---------------------------------------------------------------------------------------------------------


@given(
    texts=st.lists(st.lists(st.integers(-1, 5), max_size=8), min_size=1, max_size=6),
    window=st.integers(1, 6),
)
@settings(max_examples=50, deadline=None)
def test_words_are_near_as_counted_one_by_one(texts: list[list[int]], window: int) -> None:
    want = np.zeros((6, 6))
    for own in texts:
        for i, a in enumerate(own):
            for j, b in enumerate(own):
                if 0 < abs(i - j) <= window and a >= 0 and b >= 0 and a != b:
                    want[a, b] += 1
    word = np.array([a for own in texts for a in own], np.int64)
    text = np.repeat(np.arange(len(texts)), [len(own) for own in texts])
    np.testing.assert_array_equal(near_counts(word, text, 6, window).toarray(), want)


def test_the_vectors_are_the_nearest_to_the_shifted_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """W Wᵀ against the table written out by hand; large tables are factored another way, to the same end."""
    rng = np.random.default_rng(0)
    n = np.triu(rng.integers(0, 6, (30, 30)), 1).astype(float)
    n += n.T
    total, own = n.sum(), n.sum(axis=1)
    with np.errstate(divide="ignore"):
        M = np.maximum(np.log(n * total / np.outer(own, own)) - np.log(1.2), 0.0)
    size, U = np.linalg.eigh(M)
    want = (U[:, -4:] * size[-4:]) @ U[:, -4:].T
    from scipy import sparse

    for whole in (1000, 0):
        monkeypatch.setattr("xattn.features.text.embedding.WHOLE", whole)
        W = trained_vectors(sparse.csr_array(n), 4, 1.2, np.random.default_rng(1))
        np.testing.assert_allclose(W @ W.T, want, atol=1e-9)


def test_a_turn_changes_no_angle_and_makes_words_stand_out() -> None:
    rng = np.random.default_rng(0)
    plain = np.eye(4)[rng.integers(0, 4, 200)] + 0.05 * rng.normal(size=(200, 4))
    plain -= plain.mean(axis=0)
    mixed = plain @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    W = turned(mixed, np.ones(200), 4)
    unit = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    unit -= unit.mean(axis=0)
    np.testing.assert_allclose(W @ W.T, unit @ unit.T, atol=1e-12)
    assert (W**4).sum() > 1.2 * (unit**4).sum()
    assert ((W**3).sum(axis=0) >= 0).all()


@given(st.integers(1, 4), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_rounding_decides_no_end_and_no_order(K: int, pairs: int, seed: int) -> None:
    """Each word has its mirror image, so ends are as long; directions are alike in size. However the vectors are told,
    mirrored, in another order, or with a grain of noise, the features are the same."""
    rng = np.random.default_rng(seed)
    half = np.repeat(np.eye(K), pairs, axis=0)
    W = np.concatenate([half, -half])[rng.permutation(2 * K * pairs)]
    first = turned(W, np.ones(len(W)), K)
    for _ in range(4):
        told = (W * rng.choice([-1.0, 1.0], K))[:, rng.permutation(K)]
        again = turned(told * (1 + 1e-14 * rng.normal(size=told.shape)), np.ones(len(W)), K)
        np.testing.assert_allclose(again, first, atol=1e-9)


def test_vectors_without_a_direction_have_no_features() -> None:
    assert turned(np.zeros((3, 2)), np.ones(3), 2).shape == (3, 0)


def test_words_that_stand_beside_the_same_words_are_alike() -> None:
    """robbery and heist never share a text here, and a story of one finds one of the other."""
    told = [
        "heist crew",
        "robbery crew",
        "heist bank",
        "robbery bank",
        "rose lawn",
        "tulip lawn",
        "rose soil",
        "tulip soil",
    ]
    found = Vectors(dimensions=3).fit(pd.Series([*told, "heist", "robbery", "tulip"]))
    assert found is not None
    heist, robbery, tulip = found.F.toarray()[-3:]
    assert heist @ robbery > 0.9 * np.linalg.norm(heist) * np.linalg.norm(robbery)
    assert heist @ tulip < 0


def test_dimensions_are_named_by_their_words_at_both_ends() -> None:
    found = Vectors(dimensions=1).fit(pd.Series(stories(60)))
    assert found is not None
    one, other = (set(end.split(", ")) for end in found.labels[0].split(" ↔ "))
    assert {len(one), len(other)} == {3}
    assert one <= set(HEISTS) or one <= set(GARDENS)
    assert other <= set(HEISTS) or other <= set(GARDENS)
    W = found.parts.W  # type: ignore[union-attr]
    assert W[:, 0].max() > 0 > W[:, 0].min()


def test_the_same_seed_gives_the_same_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xattn.features.text.embedding.WHOLE", 0)
    one, other = (Vectors(dimensions=2, seed=3).fit(pd.Series(stories(60))) for _ in range(2))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.F.toarray(), other.F.toarray())


@given(st.lists(st.text(alphabet="ab c红色蓝", max_size=12), min_size=2, max_size=12), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_parts_add_up_whatever_the_texts(texts: list[str], dimensions: int) -> None:
    found = Vectors(dimensions=dimensions).fit(pd.Series(texts, dtype=object))
    if found is None:
        return
    assert all(label.strip() for label in found.labels)
    for row, own in enumerate(found.F.toarray()):
        names, parts = found.parts(row)  # type: ignore[misc]
        np.testing.assert_allclose(parts.sum(axis=0), own, atol=1e-11)
        places = places_of(found.parts)(row)  # type: ignore[misc,arg-type]
        assert [texts[row][int(a) : int(b)].casefold() for a, b in places] == list(names)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"dimensions": 0}, "`dimensions` must be"),
        ({"most": 0}, "`most` must be"),
        ({"shift": 0.5}, "`shift` must be"),
        ({"seed": -1}, "`seed` must be"),
        ({"file": 7}, "`file` must be"),
    ],
)
def test_odd_settings_are_refused(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Vectors(**settings).fit(pd.Series(stories(8)))  # type: ignore[arg-type]


def test_a_column_has_several_blocks() -> None:
    table = ItemTable(tuple("abcd"), tuple("abcd"), pd.DataFrame({"story": stories(4)}))
    found = make_features(table, {"story": ["text", "vectors"]})
    assert set(found.blocks) == set(found.parts) == {"story", "story (vectors)"}
    assert all(name.startswith(f"{block}: ") for name, block in zip(found.names, found.blocks, strict=True))
    length = (found.F.toarray()[:, [b == "story (vectors)" for b in found.blocks]] ** 2).sum(axis=1)
    np.testing.assert_allclose(length, 1.0)


# --- ledgers ---------------------------------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 10**6),
    who=st.integers(0, 39),
    item=st.integers(0, 32),
    fusion=st.sampled_from(["multiply", "add", "softmax"]),
    hybrid=st.booleans(),
    side=st.sampled_from(["event", "target"]),
)
@settings(max_examples=15, deadline=None)
def test_ledgers_add_up_and_removals_come_true(
    seed: int, who: int, item: int, fusion: str, hybrid: bool, side: str
) -> None:
    kind = HybridAttention(learned="never", min_events=1, newcomers=1.0, dtype="float64", fusion=fusion)
    model = (kind if hybrid else ContentAttention(fusion=fusion)).fit(made(seed, new=3))
    why = model.explain(user=f"u{who}", item=f"i{item}")
    assert abs(why.base + why.cells["contribution"].sum() - why.score) <= 1e-10
    parts, cells = why.parts("story", side=side), why.cells[why.cells["feature"].str.startswith("story: ")]
    for position in set(cells["position"]) | set(parts["position"]):
        mine, theirs = (f.loc[f["position"] == position, "contribution"].sum() for f in (parts, cells))
        assert abs(mine - theirs) <= 1e-10
    for row in why.part_removals("story", side=side).to_dict("records")[:4]:
        twin = model.without_parts("story", row["event"], [row["place"]])
        assert abs(twin.scores_of(why.history)[why.question.target] - row["score_without"]) <= 1e-10
    effects = why.removals()
    for place in effects["position"].tolist()[:3]:
        served = model.scores_of(why.history.without(place))[why.question.target]
        announced = effects.loc[effects["position"] == place, "score_without"].iloc[0]
        assert abs(served - announced) <= 1e-10


def test_a_block_that_is_removed_takes_its_head_along() -> None:
    """With a head a block, what the ledger says for the block is what the model without it serves."""
    for fusion in ("add", "softmax"):
        model = ContentAttention(fusion=fusion).fit(made())
        why = model.explain(user="u0", item="i1")
        without = model.without_heads(["story"]).explain(user="u0", item="i1")
        heads = why.by("head").set_index("head")["contribution"]
        assert abs(without.score - (why.score - heads["story"])) <= 1e-10


# --- files -----------------------------------------------------------------------------------------------------------


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "words.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


GLOVE = "heist 1 0 0.5\nRobbery 0.9 0.1 0.5\nrobbery 0.9 0.1 0.4\nNew York 0 0 1\nrose -1 0.2 0\ntulip -1 0.1 0\n"


@pytest.mark.parametrize("head", ["", "6 3\n"])
def test_files_of_glove_and_word2vec_are_read(tmp_path: Path, head: str) -> None:
    path = written(tmp_path, head + GLOVE)
    found = vector_file.vectors_of_file(path, {"heist", "robbery", "rose", "new york", "nosuch"})
    assert sorted(found) == ["heist", "new york", "robbery", "rose"]
    assert found["robbery"].tolist() == [0.9, 0.1, 0.4]
    assert found["new york"].tolist() == [0, 0, 1]
    block = Vectors(path, dimensions=2)
    F = block.fit(pd.Series(["a heist", "a robbery", "a rose", "the tulip", "nosuch", ""]))
    assert F is not None
    heist, robbery, rose, tulip, *rest = F.F.toarray()
    assert heist @ robbery > 0 < rose @ tulip
    assert heist @ rose < 0
    assert not np.any(rest)
    assert Vectors(path).fit(pd.Series(["nothing known", "here or there"])) is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            "heist 1 2\nrose 1\n",
            r"'words\.txt' line 2: every line must be a word and 2 numbers, as .+; got 1",
        ),
        ("heist 1 2\nrose 1 2 3\n", r"line 2: every line must be a word and 2 numbers, as the first says; got 3"),
        ("heist 1 2\n\n", r"line 2: every line must be a word and 2 numbers"),
        ("heist 1 2\nrose 1 x\n", r"line 2: the numbers of the word 'rose' must be finite"),
        ("heist 1 nan\n", r"line 1: the numbers of the word 'heist' must be finite"),
        ("heist 1 1e999\n", r"line 1: the numbers"),
        ("heist\n", r"line 1: a file of word vectors must begin with a word and 1 to 4,096 numbers"),
        ("9 99999\nheist 1\n", r"line 1: a file of word vectors must begin"),
        (b"heist 1 2\n\xff\xfe 1 2\n", r"must be text in UTF-8; got other bytes in line 2"),
        ("heist 1 2\nrose " + "1" * 2**17, r"line 2: a line of word vectors must hold at most 131,072 bytes"),
    ],
)
def test_a_malformed_line_ends_in_one_sentence(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        Vectors(written(tmp_path, content)).fit(pd.Series(["heist rose", "rose heist"]))
    assert caught.value.told("zh") != str(caught.value)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    column = pd.Series(["heist rose", "rose heist"])
    for path in (tmp_path, tmp_path / "nosuch.txt", "a\0b"):
        with pytest.raises(InputError, match="must be a file that exists and can be read"):
            Vectors(path).fit(column)
    monkeypatch.setattr(vector_file, "MOST_BYTES", 10)
    with pytest.raises(InputError, match=r"'words\.txt'.* 10 "):
        Vectors(written(tmp_path, GLOVE)).fit(column)


@given(st.binary(max_size=200) | st.text(alphabet="heist 0123.-e\n", max_size=200).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_no_file_ends_in_anything_but_vectors_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = written(tmp_path_factory.getbasetemp(), raw)
    found: dict[str, np.ndarray] = {}
    with suppress(InputError):
        found = vector_file.vectors_of_file(path, {"heist", "h", "i"})
    assert all(np.isfinite(own).all() for own in found.values())
    assert len({len(own) for own in found.values()}) <= 1
