"""Videos: what is seen and heard, where and when, and what becomes of files that anybody wrote."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.media import picture, sound, video
from xattn import ContentAttention, HybridAttention, InputError, Interactions, ItemTable
from xattn.data.feature_set import kind_of, places_of, shown_of
from xattn.explain.parts import SIDES
from xattn.explain.tell.sides import speaking, split
from xattn.features import make_features
from xattn.features.media import files, sounds, video_files
from xattn.features.media.sounds import Sounds
from xattn.features.media.video_files import samples, stills
from xattn.features.media.videos import Frames, Soundtrack
from xattn.i18n import keys
from xattn.testing import BlockContract
from xattn.viz.parts import part_chart

WHITE = ("white", None, (0, 0))
RED = ("white", "red", (2, 1))
BLUE = ("white", "blue", (0, 3))


def column(*cells: object) -> pd.Series:  # type: ignore[type-arg]
    return pd.Series(list(cells), dtype=object)


class TestFrames(BlockContract):
    def make(self) -> Frames:
        return Frames()

    def column(self) -> pd.Series:  # type: ignore[type-arg]
        made = [video([WHITE, RED]), video([BLUE], 440.0), None, video([("green", None, (0, 0)), RED, BLUE])]
        return column(*made, b"no video", video(hertz=440.0))


class TestSoundtrack(BlockContract):
    def make(self) -> Soundtrack:
        return Soundtrack()

    def column(self) -> pd.Series:  # type: ignore[type-arg]
        return column(video(hertz=440.0), video([RED], 6000.0), None, video([RED]), b"no video", video(hertz=100.0))


# --- where and when ---------------------------------------------------------------------------------------------------


def test_a_patch_lies_where_and_when_it_is_seen() -> None:
    found = Frames().fit(column(video([WHITE, WHITE, RED, BLUE]), video([BLUE]), video([WHITE])))
    assert found is not None
    assert found.parts is not None
    assert kind_of(found.parts) == "frames"
    names, parts = found.parts(0)
    assert len(names) == 4 * 16
    places = places_of(found.parts)
    assert places is not None
    for colour, name, place in (
        ("red", "2.00–3.00 s, B3", (2.0, 3.0, 0.25, 0.5, 0.5, 0.75)),
        ("blue", "3.00–4.00 s, D1", (3.0, 4.0, 0.75, 0.0, 1.0, 0.25)),
    ):
        brought = parts.toarray()[:, found.labels.index(colour)]
        assert np.count_nonzero(brought) == 1
        assert names[int(brought.argmax())] == name
        assert places(0)[int(brought.argmax())] == place
    shown = shown_of(found.parts)
    assert shown is not None
    strip = shown(0)
    assert isinstance(strip, bytes)
    assert strip[16:24] == (256).to_bytes(4, "big") + (64).to_bytes(4, "big"), "four pictures side by side"
    assert shown(0) is strip, "made once"


@pytest.mark.parametrize(
    ("kind", "codec", "heard"),
    [
        ("mp4", "libx264", "aac"),
        ("mp4", "mpeg4", "libmp3lame"),
        ("mov", "mjpeg", "pcm_s16le"),
        ("webm", "libvpx-vp9", "libopus"),
        ("webm", "libvpx", "libopus"),
        ("matroska", "ffv1", "pcm_s16le"),
        ("avi", "mpeg4", "libmp3lame"),
    ],
)
def test_what_cameras_write_is_read(kind: str, codec: str, heard: str) -> None:
    made = video([WHITE, RED], 440.0, kind, codec, heard)
    found = stills(made, 1.0)
    assert [round(still.start, 2) for still in found] == [0.0, 1.0]
    assert found[-1].stop == pytest.approx(2.0, abs=0.3)
    red = found[1].rgb[40, 24].astype(int)  # the middle of B3
    assert red[0] > 170 > 80 > red[1:].max()
    assert found[0].rgb[40, 24].min() > 230
    x, rate = samples(made)
    assert len(x) == pytest.approx(2 * rate, rel=0.1)
    peak = np.fft.rfftfreq(len(x), 1 / rate)[np.abs(np.fft.rfft(x)).argmax()]
    assert peak == pytest.approx(440.0, abs=2.0)


def test_what_is_on_screen_is_what_counts() -> None:
    """A picture stays until the next one comes; stretches may be shorter or longer than pictures."""
    slow = video([WHITE, RED, BLUE], rate=1)
    assert [round(still.stop - still.start, 6) for still in stills(slow, 0.5)] == [0.5] * 6
    assert [still.rgb[40, 24, 1] for still in stills(slow, 0.5)] == [250, 250, 20, 20, 250, 250]
    (one,) = stills(slow, 10.0)
    assert (one.start, one.stop) == (0.0, 3.0)
    assert one.rgb[8, 56, 2] == 220, "the middle of so long a stretch lies beyond the end: the last picture"


def test_a_soundtrack_is_heard_as_a_sound_is() -> None:
    both = make_features(
        ItemTable(("a", "b"), ("A", "B"), pd.DataFrame({"clip": column(video([RED], 440.0), video([BLUE], 3500.0))})),
        {"clip": ["frames", "soundtrack"]},
    )
    assert list(dict.fromkeys(both.blocks)) == ["clip", "clip (soundtrack)"]
    heard = Sounds().fit(column(sound(440.0), sound(3500.0)))
    seen = Soundtrack().fit(column(video([RED], 440.0), video([BLUE], 3500.0)))
    assert heard is not None
    assert seen is not None
    hums = [f.F.toarray()[:, [f.labels.index(hum) for hum in ("low hum", "high hum")]] for f in (heard, seen)]
    np.testing.assert_allclose(hums[0], hums[1], atol=1e-3)


# --- ledgers ----------------------------------------------------------------------------------------------------------


def watched() -> Interactions:
    """Forty people with six of sixteen videos, each with pictures and a tone."""
    rng = np.random.default_rng(0)
    grounds = ["white", "green", "blue", "red"]
    cells = [
        video(
            [(grounds[j % 4], "dark red", divmod(int(rng.integers(16)), 4)), RED], float(rng.choice([200, 900, 4000]))
        )
        for j in range(16)
    ]
    ids = tuple(f"i{j}" for j in range(16))
    table = ItemTable(ids, ids, pd.DataFrame({"clip": pd.Series(cells, dtype=object)}))
    table = table.with_features(make_features(table, {"clip": ["frames", "soundtrack"]}))
    item = np.concatenate([rng.choice(16, 6, replace=False) for _ in range(40)])
    users = tuple(f"u{u}" for u in range(40))
    return Interactions("watched", users, table, np.arange(41) * 6, item, None, None)


@pytest.mark.parametrize("fusion", ["multiply", "softmax"])
@pytest.mark.parametrize("block", ["clip", "clip (soundtrack)"])
def test_parts_add_up_and_their_removal_is_served(block: str, fusion: str) -> None:
    model = ContentAttention(fusion=fusion).fit(watched())
    why = model.explain(user="u0", item="i3" if "i3" not in model.history("u0").item else "i5")
    cells = why.by("block").set_index("block")["contribution"]
    target = why.question.target
    for side in SIDES:
        assert abs(why.parts(block, side=side)["contribution"].sum() - cells[block]) <= 1e-10
        removals = why.part_removals(block, side=side)
        assert len(removals)
        for row in removals.head(40).itertuples():
            served = model.without_parts(block, row.event, [row.place]).scores_of(why.history)[target]
            assert abs(served - row.score_without) <= 1e-10


def test_the_default_model_tells_them_too() -> None:
    data = watched()
    why = HybridAttention(learned="never", dtype="float64").fit(data).explain(user="u1", item="i2")
    for block in ("clip", "clip (soundtrack)"):
        said = why.by("block").set_index("block")["contribution"].get(block, 0.0)
        for side in SIDES:
            assert abs(why.parts(block, side=side)["contribution"].sum() - said) <= 1e-10


def test_the_chart_shows_when_and_where() -> None:
    from xattn.explain.tell.page_parts import sheet_of

    why = ContentAttention().fit(watched()).explain(user="u0", item="i3")
    found = split(why, "clip", speaking(why, "clip")[0])
    sheets = [sheet_of(side, found.kind, "en") for side in (found.own, found.other)]
    spec = part_chart(found.kind, sheets, "en").to_dict()
    for drawn, side in zip(spec["hconcat"], (found.own, found.other), strict=True):
        bars, patches = drawn["vconcat"]
        assert bars["mark"]["type"] == "bar"
        assert bars["encoding"]["y2"]["field"] == "zero", "a bar stands on 0"
        marks = [layer["mark"]["type"] for layer in patches["layer"]]
        assert marks == ["image", "rect", "text"]
        values = next(iter(v for k, v in spec["datasets"].items() if k == bars["data"]["name"]))
        assert sum(row["contribution"] for row in values) == pytest.approx(side.amounts.sum(), abs=1e-12)
    assert "Two videos" in spec["description"]
    assert 'src="data:image' in why.to_html() or "<svg" in why.to_html()


# --- files that anybody wrote -----------------------------------------------------------------------------------------


def reason(block: Frames | Soundtrack, cell: object) -> str:
    table = ItemTable(("a", "b"), ("A", "B"), pd.DataFrame({"clip": column(cell, video([RED, BLUE], 440.0))}))
    found = make_features(table, {"clip": block})
    return found.skipped[0].reason if found.skipped else ""


@pytest.mark.parametrize(
    ("cell", "frames", "track"),
    [
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "no_video", "no_video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "no_video", "no_video"),
        (b"<?xml version='1.0'?><MPD></MPD>", "no_video", "no_video"),
        (picture("red"), "no_video", "no_video"),
        (picture("red", kind="GIF"), "no_video", "no_video"),
        (sound(440.0, kind="WAV"), "no_video", "no_video"),
        (video(hertz=440.0), "no_pictures", ""),
        (video([RED]), "", "no_sound"),
        (video([RED], 440.0, "avi", "huffyuv"), "unknown_codec", ""),
        (video([RED], 440.0)[:400], "broken", "broken"),
        (b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 200, "broken", "broken"),
        ("http://a.example/a.mp4", "address", "address"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_named(cell: object, frames: str, track: str) -> None:
    assert reason(Frames(), cell) == frames
    assert reason(Soundtrack(), cell) == track
    assert all(f"skipped.{name}" in keys() for name in (frames, track) if name)


def test_what_is_too_large_or_too_long_is_left_out_or_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = video([WHITE, RED, BLUE], 440.0)
    monkeypatch.setattr(video_files, "LONGEST", 1.5)
    assert [(still.start, still.stop) for still in stills(whole, 1.0)] == [(0.0, 1.0)]
    assert len(samples(whole)[0]) == int(1.5 * 22_050)
    monkeypatch.undo()
    monkeypatch.setattr(video_files, "MOST_FRAMES", 4)
    assert len(stills(whole, 1.0)) == 1
    monkeypatch.undo()
    monkeypatch.setattr(video_files, "MOST_PIXELS", 64 * 64 - 1)
    with pytest.raises(files.Unusable):
        stills(whole, 1.0)
    monkeypatch.undo()
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    nothing = Frames().fit(column(whole))
    assert nothing is not None
    assert nothing.labels == ()
    assert [cell.reason for cell in nothing.skipped] == ["too_large"]
    monkeypatch.undo()
    monkeypatch.setattr(video_files, "MOST_CHANNELS", 0)
    with pytest.raises(files.Unusable):
        samples(whole)


WHOLE = video([RED, BLUE], 440.0, "mp4", "mpeg4", "aac")


@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=60), st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_bytes_break_a_block(at: int, data: bytes, cut: bool) -> None:
    spoiled = WHOLE[:at] + data + (b"" if cut else WHOLE[at + len(data) :])
    for block in (Frames(), Soundtrack()):
        block.fit(column(spoiled, data))


def test_decoders_say_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for at in range(200, len(WHOLE), 97):
        Frames().fit(column(WHOLE[:at] + b"\xff" * 20 + WHOLE[at + 20 :]))
    assert capfd.readouterr() == ("", "")


def test_what_is_missing_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xattn.features.media.videos.find_spec", lambda name: None)
    for block in (Frames(), Soundtrack()):
        with pytest.raises(InputError, match=r"reads videos must be installed \('pip install xattn\[video\]'\)"):
            block.fit(column(b"x"))


def test_a_model_is_kept_while_its_file_is_gone(tmp_path: object) -> None:
    """A video that vanishes after the fit is no longer shown, and its ledger stays."""
    from pathlib import Path

    folder = Path(str(tmp_path))
    for name, made in (("a.mkv", video([RED])), ("b.mkv", video([RED, BLUE]))):
        (folder / name).write_bytes(made)
    data = watched()
    cells = ["a.mkv", "b.mkv", *[""] * 14]
    table = replace(data.items, frame=pd.DataFrame({"clip": cells}), features=None)
    features = make_features(table, {"clip": Frames(folder)})
    (folder / "a.mkv").unlink()
    shown = shown_of(features.parts["clip"])
    assert shown is not None
    assert shown(0) is None
    assert isinstance(shown(1), bytes)
    assert sounds.LONGEST == video_files.LONGEST
