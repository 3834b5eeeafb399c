"""Files of videos, which are anybody's: what is on screen in each stretch of time, and the sound as samples.

FFmpeg (by PyAV) decodes. It knows hundreds of formats, some of which name other files, so nothing is left to its guess:
the format is told by the first bytes, only those below are tried, only the codecs below are opened, no protocol is
allowed, and the file is bytes in memory. The first 30 seconds count, or 2,000 pictures where there are more. Marks that
a picture is to be turned are not followed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from xattn.features.media.files import Unusable
from xattn.features.media.sounds import LONGEST, MOST_CHANNELS, RATES

__all__ = ["Still", "samples", "stills"]

SIDE = 128  # pixels: pictures are made to fit
MOST_PIXELS = 9_000_000  # of a picture: a little more than 4096 × 2160
MOST_FRAMES = 2000  # pictures that are decoded: 30 seconds at 60 a second have 1,800
CONTAINERS = {"mov": (4, b"ftyp"), "matroska": (0, b"\x1a\x45\xdf\xa3"), "avi": (8, b"AVI "), "ogg": (0, b"OggS")}
PICTURES = (
    "av1", "ffv1", "h264", "hevc", "libdav1d", "libvpx", "libvpx-vp9", "mjpeg", "mpeg4", "rawvideo", "theora", "vp8",
    "vp9",
)  # fmt: skip
SOUNDS = ("aac", "flac", "libopus", "mp3", "mp3float", "opus", "pcm_s16le", "pcm_u8", "vorbis")


class Still(NamedTuple):
    """What is on screen in the middle of a stretch of time, in seconds: `rgb` (h, w, 3) uint8."""

    start: float
    stop: float
    rgb: np.ndarray


def stills(data: bytes, every: float) -> list[Still]:
    """The stretches of `every` seconds, the last of which may be shorter. Raises Unusable."""
    with _opened(data) as container:
        if not container.streams.video:
            raise Unusable("no_pictures")
        stream = container.streams.video[0]
        _ready(stream.codec_context, PICTURES)
        found: list[Still] = []
        first, shown, size, end = None, None, (0, 0), 0.0
        for number, frame in enumerate(container.decode(stream)):
            if frame.width * frame.height > MOST_PIXELS:
                raise Unusable("too_many_frame_pixels")
            time = float(number if frame.time is None else frame.time)
            first = time if first is None else first
            when = time - first
            while shown is not None and (len(found) + 0.5) * every < min(when, LONGEST):
                found.append(_still(shown, size, every * len(found), every))
            if when >= LONGEST or number >= MOST_FRAMES:
                end = when
                break
            size = size if shown is not None else _fitted(frame.width, frame.height)
            shown, end = frame, when + _lasts(frame, stream)
        if shown is None:
            raise Unusable("broken")
        end = min(end, LONGEST)
        while not found or (len(found) + 0.5) * every < end:
            found.append(_still(shown, size, every * len(found), every))
        return [*found[:-1], found[-1]._replace(stop=max(min(end, found[-1].stop), found[-1].start))]


def samples(data: bytes) -> tuple[np.ndarray, int]:
    """(x, rate): the samples of the sound from −1 to 1, all channels as one. Raises Unusable."""
    import av

    with _opened(data) as container:
        if not container.streams.audio:
            raise Unusable("no_sound")
        stream = container.streams.audio[0]
        _ready(stream.codec_context, SOUNDS)
        rate = int(stream.codec_context.sample_rate)
        if not RATES[0] <= rate <= RATES[1] or stream.codec_context.channels > MOST_CHANNELS:
            raise Unusable("odd_sound")
        most = int(LONGEST * rate)
        one = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        pieces, n = [np.zeros(0)], 0
        for frame in chain(container.decode(stream), [None]):  # None: what the resampler still holds
            for out in one.resample(frame):
                pieces.append(out.to_ndarray()[0].astype(np.float64))
                n += len(pieces[-1])
            if n >= most:
                break
        x = np.concatenate(pieces)[:most]
    if not len(x) or not np.isfinite(x).all():
        raise Unusable("odd_sound")
    return x, rate


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    """The container of a file. Whatever a decoder makes of bytes that anybody wrote, inside or here, is Unusable."""
    import av

    kind = next((kind for kind, (at, mark) in CONTAINERS.items() if data[at : at + len(mark)] == mark), None)
    if kind is None or (kind == "avi" and data[:4] != b"RIFF"):
        raise Unusable("no_video")
    allowed = {
        "codec_whitelist": ",".join((*PICTURES, *SOUNDS)),
        "format_whitelist": kind,
        "protocol_whitelist": "",
        "max_pixels": str(MOST_PIXELS),
    }
    try:
        with av.open(io.BytesIO(data), "r", format=kind, options=allowed, metadata_errors="replace") as container:
            yield container
    except Unusable:
        raise
    except Exception as problem:
        raise Unusable("broken") from problem


def _ready(codec: Any, known: tuple[str, ...]) -> None:
    """The decoder of a stream, before it is opened: one that is known, in one thread, for pictures within limits."""
    if codec is None or codec.name not in known:
        raise Unusable("unknown_codec")
    codec.thread_type, codec.thread_count = "NONE", 1


def _lasts(frame: Any, stream: Any) -> float:
    """How long a picture stays on screen, in seconds, where nothing follows it."""
    if frame.duration and frame.time_base:
        return float(frame.duration * frame.time_base)
    return float(1 / stream.average_rate) if stream.average_rate else 0.0


def _fitted(width: int, height: int) -> tuple[int, int]:
    """Width and height when a picture is made to fit; it is never enlarged."""
    scale = min(1.0, SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _still(frame: Any, size: tuple[int, int], start: float, every: float) -> Still:
    rgb = frame.reformat(width=size[0], height=size[1], format="rgb24", interpolation="AREA").to_ndarray()
    return Still(start, start + every, np.ascontiguousarray(rgb))
