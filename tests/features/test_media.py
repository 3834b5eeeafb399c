"""Pictures and sounds: what is seen and heard, where, and what becomes of files that anybody wrote."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.features.media import picture, sound
from xattn import InputError, ItemTable
from xattn.data.feature_set import places_of
from xattn.features import make_features
from xattn.features.media import files, pictures, sounds
from xattn.features.media.pictures import COLOURS, LOOKS, Pictures, colours, looks
from xattn.features.media.sounds import EDGES, HEARD, PITCHES, Sounds, heard
from xattn.i18n import keys
from xattn.testing import BlockContract
from xattn.viz.names import feature_name


class TestPictures(BlockContract):
    def make(self) -> Pictures:
        return Pictures()

    def column(self) -> pd.Series:  # type: ignore[type-arg]
        some = [picture("white", "red", (0, 1)), picture("blue"), None, picture("white", "dark red", (3, 3), "JPEG")]
        return pd.Series([*some, b"no picture", picture("green", "blue", (1, 2))], dtype=object)


class TestSounds(BlockContract):
    def make(self) -> Sounds:
        return Sounds()

    def column(self) -> pd.Series:  # type: ignore[type-arg]
        some = [sound(440.0), sound(6000.0, kind="WAV"), None, sound(None), b"no sound"]
        return pd.Series([*some, sound(100.0, 0.6)], dtype=object)


# --- what is seen -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 0, 0), "red"), ((120, 0, 0), "dark red"), ((255, 150, 150), "light red"), ((255, 140, 0), "orange"),
        ((240, 230, 20), "yellow"), ((0, 160, 0), "green"), ((0, 100, 0), "dark green"), ((0, 200, 200), "turquoise"),
        ((0, 0, 255), "blue"), ((0, 0, 90), "dark blue"), ((150, 180, 255), "light blue"), ((150, 0, 200), "purple"),
        ((255, 60, 180), "pink"), ((0, 0, 0), "black"), ((255, 255, 255), "white"), ((100, 100, 100), "dark grey"),
        ((180, 180, 180), "light grey"),
    ],
)  # fmt: skip
def test_colours_are_called_what_people_call_them(rgb: tuple[int, int, int], name: str) -> None:
    assert COLOURS[int(colours(np.array([[rgb]], np.uint8))[0, 0])] == name


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_every_pixel_has_one_colour(rgb: tuple[int, int, int]) -> None:
    share = looks(np.full((8, 8, 3), rgb, np.uint8), np.ones((8, 8), bool), 2)
    np.testing.assert_array_equal(share[:, : len(COLOURS)].sum(axis=1), 1.0)


@pytest.mark.parametrize(
    ("brightness", "name"),
    [
        (lambda y, x: x // 8 % 2, "upright edges"),
        (lambda y, x: y // 8 % 2, "level edges"),
        (lambda y, x: (x + y) // 8 % 2, "edges rising to the right"),
        (lambda y, x: (x - y) // 8 % 2, "edges rising to the left"),
        (lambda y, x: (x + y) % 2, "fine texture"),
        (lambda y, x: 0 * x, "smooth areas"),
    ],
)
def test_edges_and_textures(brightness: object, name: str) -> None:
    y, x = np.mgrid[:64, :64]
    grey = (255 * brightness(y, x)).astype(np.uint8)  # type: ignore[operator]
    share = looks(np.repeat(grey[:, :, None], 3, axis=2), np.ones((64, 64), bool), 4).mean(axis=0)[len(COLOURS) :]
    share[:4] *= 10 * (share[:4].max() > 0.1)  # stripes are smooth between their edges
    assert LOOKS[len(COLOURS) + int(share.argmax())] == name


def test_what_one_can_see_through_does_not_count() -> None:
    rgb = np.full((8, 8, 3), (255, 0, 0), np.uint8)
    rgb[:4] = (0, 0, 255)
    seen = np.zeros((8, 8), bool)
    seen[4:] = True
    share = looks(rgb, seen, 2).mean(axis=0)
    assert share[LOOKS.index("red")] == 1.0
    assert share[LOOKS.index("blue")] == 0.0


def test_a_patch_lies_where_it_stands() -> None:
    found = Pictures().fit(
        pd.Series([picture("white", "red", (2, 1)), picture("blue"), picture("white")], dtype=object)
    )
    assert found is not None
    assert found.parts is not None
    names, parts = found.parts(0)
    red = parts.toarray()[:, found.labels.index("red")]
    assert names[int(red.argmax())] == "B3"
    assert np.count_nonzero(red) == 1
    places = places_of(found.parts)
    assert places is not None
    assert places(0)[int(red.argmax())] == (0.25, 0.5, 0.5, 0.75)


# --- what is heard ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("band", range(len(PITCHES)))
def test_a_tone_hums_in_its_band(band: int) -> None:
    rate, hertz = 44_100, float(np.sqrt(EDGES[band] * EDGES[band + 1]))
    loud = heard(0.5 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate), rate, 0.25).mean(axis=(0, 1))
    assert HEARD[int(loud.argmax())] == f"{PITCHES[band]} hum"


def test_noise_hisses_and_silence_is_silent() -> None:
    noise = heard(0.1 * np.random.default_rng(0).normal(size=44_100), 44_100, 0.25).mean(axis=(0, 1))
    assert (noise[len(PITCHES) + 2 :] > noise[2 : len(PITCHES)]).all()
    assert not heard(np.zeros(44_100), 44_100, 0.25).any()


def test_a_stretch_lies_where_it_sounds() -> None:
    column = pd.Series([sound(3500.0, 1.0, start=0.5), sound(200.0), sound(None)], dtype=object)
    found = Sounds().fit(column)
    assert found is not None
    assert found.parts is not None
    names, parts = found.parts(0)
    hum = parts.toarray()[:, found.labels.index("high hum")]
    places = places_of(found.parts)
    assert places is not None
    where = [places(0)[p] for p in np.flatnonzero(hum > hum.max() / 2)]
    assert {place[:2] for place in where} == {(0.5, 0.75), (0.75, 1.0)}
    assert all(low <= 3500 <= high for _, _, low, high in where)
    assert names[int(hum.argmax())].endswith("s, high")


# --- files that anybody wrote -----------------------------------------------------------------------------------------


def test_files_come_from_one_folder_alone(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.png").write_bytes(picture("red"))
    (inside / "b.png").write_bytes(picture("blue"))
    (inside / "link.png").symlink_to(outside / "a.png")
    os.mkfifo(inside / "pipe")
    (inside / "cut.png").write_bytes(picture("red")[:60])
    cells = [
        "a.png", "b.png", "../out/a.png", str(outside / "a.png"), "link.png", "pipe", "cut.png", "nosuch.png", "",
        "https://a.example/a.png", "file:///etc/passwd", "in\x00.png", "x" * 5000, ".",
    ]  # fmt: skip
    table = ItemTable(tuple(f"i{n}" for n in range(len(cells))), ("t",) * len(cells), pd.DataFrame({"cover": cells}))
    found = make_features(table, {"cover": Pictures(inside)})
    assert np.flatnonzero(np.diff(found.F.indptr)).tolist() == [0, 1]
    reasons = {cell.row: cell.reason for cell in found.skipped}
    assert reasons == {
        2: "outside", 3: "outside", 4: "outside", 5: "no_file", 6: "broken", 7: "no_file", 9: "address", 10: "address",
        11: "no_file", 12: "no_file", 13: "no_file",
    }  # fmt: skip
    assert "cover, row 6, 'cut.png': it cannot be decoded" in [cell.told() for cell in found.skipped]
    assert all(cell.told("zh") for cell in found.skipped)


def all_skipped(block: Pictures | Sounds, column: pd.Series) -> list[str]:  # type: ignore[type-arg]
    """Why each cell is left out, where none can be used; the features of the table say it too."""
    found = block.fit(column)
    assert found is not None
    assert found.labels == ()
    ids = tuple(f"i{row}" for row in range(len(column)))
    table = ItemTable(ids, ids, pd.DataFrame({"cover": column}))
    assert [cell.row for cell in make_features(table, {"cover": block}).skipped] == list(range(len(column)))
    return [cell.reason for cell in found.skipped]


def test_what_is_too_large_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    column = pd.Series([picture("red"), picture("blue")], dtype=object)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 64 * 64 - 1)
    assert all_skipped(Pictures(), column) == ["too_many_pixels"] * 2
    monkeypatch.setattr(files, "MOST_BYTES", 100)
    long = pd.Series([sound(440.0)], dtype=object)
    assert all_skipped(Sounds(), long) == ["too_large"]
    monkeypatch.undo()
    monkeypatch.setattr(sounds, "LONGEST", 0.5)
    found = Sounds().fit(long)
    assert found is not None
    assert found.parts is not None
    assert len(found.parts(0)[0]) == 2 * len(PITCHES)


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_break_a_block(data: bytes, headed: bool) -> None:
    for whole, block in ((picture("red"), Pictures()), (sound(440.0, 0.1), Sounds())):
        spoiled = whole[:40] + data + whole[60:] if headed else data
        block.fit(pd.Series([spoiled], dtype=object))


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="`folder` must be a folder"):
        Pictures(tmp_path / "nosuch").fit(pd.Series(["a.png"]))
    with pytest.raises(InputError, match="`folder` must say where files are read from; got 'a.png'"):
        Sounds().fit(pd.Series(["a.png"]))
    monkeypatch.setattr("xattn.features.media.pictures.find_spec", lambda name: None)
    monkeypatch.setattr("xattn.features.media.sounds.find_spec", lambda name: None)
    for block, extra in ((Pictures(), "pictures"), (Sounds(), "sounds")):
        with pytest.raises(InputError, match=rf"'pip install xattn\[{extra}\]'"):
            block.fit(pd.Series([b"x"], dtype=object))


def test_everything_seen_or_heard_has_a_name_in_both_languages() -> None:
    for label in (*LOOKS, *HEARD):
        assert f"look.{label.replace(' ', '_')}" in keys()
    assert feature_name("cover: dark red", "zh") == "cover：深红色"
