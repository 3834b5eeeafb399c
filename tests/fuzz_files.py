"""Files that nobody should write: crafted ones whose checksums are right, and damaged ones; and what comes of each.

`benchmarks/fuzz_files.py` tries thousands, `tests/recommenders/test_fuzz_files.py` some of them.
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tests.model_files import Arrays, entries_of, npy, sealed, taken_apart, text
from tests.models import fitted
from xattn import XattnError, load_model
from xattn.data import read_interactions
from xattn.recommenders import Recommender

MODELS = ("popularity", "item knn", "users", "content", "collaborative", "collaborative sparse", "hybrid", "ease")
MODELS = (*MODELS, "neural", "sequence", "sequence target", "hybrid cold")
LONGEST = 10.0  # seconds that a file may take
HISTORY = ["i1", "i5", "i2"]
ODD_NUMBERS = (np.nan, np.inf, -np.inf, 1e308, -1e308, 3e38, 5e-324, -1.0, 0.0, 2.0**53)
ODD_WHOLE = (-1, -(2**63), 2**63 - 1, 2**40, 2**31, 0, 1)
ODD_SETTINGS = (
    None,
    True,
    -1,
    0,
    1e308,
    10**400,
    float("nan"),
    "x",
    "",
    [],
    [[]],
    {},
    [1.0, "a"],
    {"a": None},
    "\ud800",
)
KINDS = ("<f4", "<f8", "<f2", "<i8", "<i4", "<u8", "|u1", "|b1", ">f8", "<U3", "<c16", "<f16")


class Outcome(NamedTuple):
    """What came of a file: "refused", "answered", "other answer", "nan", "raw: …" or "hang"."""

    what: str
    seconds: float


# --- model files that are crafted -----------------------------------------------------------------------------------


def _values(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """Some numbers replaced by odd ones."""
    other = array.copy()
    if other.size and other.dtype.kind in "fiub":
        at = rng.integers(other.size, size=int(rng.integers(1, 4)))
        odd = ODD_NUMBERS if other.dtype.kind == "f" else ODD_WHOLE
        with np.errstate(all="ignore"):
            other.flat[at] = np.array([odd[i] for i in rng.integers(len(odd), size=len(at))]).astype(other.dtype)
    return other


def _scaled(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """All numbers far larger or smaller: finite, and perhaps not for long."""
    with np.errstate(all="ignore"):
        scaled = array * array.dtype.type(10.0 ** rng.integers(-300, 300)) if array.dtype.kind == "f" else array
    return np.nan_to_num(scaled) if array.dtype.kind == "f" else scaled


def _shape(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    ways: list[Callable[[], np.ndarray]] = [
        lambda: array[None],
        lambda: array.ravel(),
        lambda: array.T,
        lambda: np.concatenate([array.ravel(), array.ravel()]),
        lambda: array.ravel()[: array.size // 2],
        lambda: array.ravel()[:0],
        lambda: np.zeros((0, 2**40), array.dtype) if array.dtype.kind in "fiub" else array,
        lambda: np.tile(array, 2),
    ]
    return ways[rng.integers(len(ways))]()


def _order(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """The same entries in another order, or one of them more than once."""
    flat = array.ravel()
    drawn = rng.permutation(flat.size) if rng.random() < 0.5 else rng.integers(max(flat.size, 1), size=flat.size)
    return flat[drawn].reshape(array.shape) if flat.size else array


def _kind(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return array.astype(KINDS[rng.integers(len(KINDS))])
        except (TypeError, ValueError):
            return array.astype("<U3")


def _json(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """Another JSON where texts stand."""
    try:
        value = json.loads(array.tobytes())
    except ValueError:
        return np.frombuffer(b"[" * int(rng.integers(1, 100_000)), np.uint8)
    odd = ODD_SETTINGS[rng.integers(len(ODD_SETTINGS))]
    if isinstance(value, list) and value:
        at = int(rng.integers(len(value)))
        ways = [
            [*value[:at], odd, *value[at + 1 :]],
            value[:at],
            value + value,
            [value],
            [*value, odd],
            dict.fromkeys("ab", 1),
        ]
        return text(ways[rng.integers(len(ways))])
    return text(odd)


CHANGES = (_values, _values, _scaled, _shape, _order, _kind, _json)


def crafted(rng: np.random.Generator, base: Path, other: Path, out: Path) -> str:
    """Write to `out` a file with one thing wrong, made of `base` (and of `other`); returns what it is."""
    manifest, arrays = taken_apart(base)
    names = sorted(arrays)
    name = names[rng.integers(len(names))]
    way = rng.random()
    if way < 0.55:
        change = CHANGES[rng.integers(len(CHANGES))]
        sealed(out, manifest, arrays | {name: change(rng, arrays[name])})
        return f"{change.__name__} {name}"
    if way < 0.65:
        return _swapped(rng, manifest, arrays, other, out)
    if way < 0.8:
        params = dict(manifest["params"])
        odd = ODD_SETTINGS[rng.integers(len(ODD_SETTINGS))]
        which = [*params, "class", "data", "scale", "params", "nosuch"][rng.integers(len(params) + 5)]
        changed = {"params": params | {which: odd}} if which in params or which == "nosuch" else {which: odd}
        sealed(out, manifest | changed, arrays)
        return f"setting {which}"
    trick = TRICKS[rng.integers(len(TRICKS))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile tells of names that stand twice
        trick(rng, entries_of(base), out)
    return trick.__name__


def _swapped(rng: np.random.Generator, manifest: dict[str, Any], arrays: Arrays, other: Path, out: Path) -> str:
    """Two arrays in each other's place, one gone, or those of another model."""
    one, two = rng.permutation(sorted(arrays))[:2].tolist()
    way = int(rng.integers(4))
    theirs, found = taken_apart(other)
    ways = [
        arrays | {one: arrays[two], two: arrays[one]},
        {name: array for name, array in arrays.items() if name != one},
        arrays | {name: array for name, array in found.items() if name.startswith("model.")},
        arrays | {name: array for name, array in found.items() if name.startswith("data.")},
    ]
    sealed(out, manifest if way < 3 else theirs, ways[way])
    return f"swapped {way}"


def _packed(rng: np.random.Generator, entries: dict[str, bytes], out: Path) -> None:
    how = (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)[rng.integers(3)]
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
        archive.writestr("model.bomb.npy", bytes(int(rng.integers(1, 30)) * 10**6))


def _added(rng: np.random.Generator, entries: dict[str, bytes], out: Path) -> None:
    """A member more: twice the same, one outside, a link, a folder, an archive in the archive."""
    names = [*entries, "../x.npy", "/etc/passwd", "/x.npy", "a/b.npy", "folder/", "x.npz", "\x00.npy", "x" * 60_000]
    info = zipfile.ZipInfo(names[rng.integers(len(names))] or "x")
    if rng.random() < 0.4:
        info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
        archive.writestr(info, npy(np.zeros(3)) if rng.random() < 0.7 else out.name.encode())


def _declared(rng: np.random.Generator, entries: dict[str, bytes], out: Path) -> None:
    """Sizes, offsets and flags of the directory at random."""
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    raw = bytearray(out.read_bytes())
    first = raw.index(b"PK\x01\x02")
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(first, len(raw) - 4))
        raw[at : at + 4] = int(rng.choice([0xFFFFFFFF, 0xFFFFFFFE, 0x7FFFFFFF, 0, 1, 2**24])).to_bytes(4, "little")
    out.write_bytes(raw)


def _header(rng: np.random.Generator, entries: dict[str, bytes], out: Path) -> None:
    """The header of one array says something else."""
    name = sorted(entries)[rng.integers(len(entries))]
    shapes = ["(99999999999,)", "(-1,)", "(0, 9999999999)", "((),)", "(" * 60 + ")" * 60, "(1,) * 9", "()", "(True,)"]
    shape, kind = shapes[rng.integers(len(shapes))], (*KINDS, "|O", "|V8", "<f8, <f8", "|S0")[rng.integers(16)]
    head = f"{{'descr': '{kind}', 'fortran_order': {rng.random() < 0.5}, 'shape': {shape}, }}".encode()
    size = int(rng.choice([len(head), len(head) * 2, 65535]))
    content = (
        b"\x93NUMPY" + bytes([int(rng.integers(0, 5)), 0]) + size.to_bytes(2, "little") + head + entries[name][128:]
    )
    with zipfile.ZipFile(out, "w") as archive:
        for own, given in (entries | {name: content}).items():
            archive.writestr(own, given)


TRICKS = (_packed, _added, _declared, _header)


# --- files that are damaged -----------------------------------------------------------------------------------------


def damaged(rng: np.random.Generator, raw: bytes) -> bytes:
    """The bytes with bits flipped, parts lost, repeated, zeroed, swapped, or mixed in."""
    found, n = bytearray(raw), len(raw)
    way = int(rng.integers(7))
    low, high = sorted(rng.integers(n + 1, size=2).tolist())
    if way <= 1:
        ends = [(0, n), (0, min(n, 300)), (max(0, n - 2000), n)][rng.integers(3)]
        for at in rng.integers(*ends, size=int(rng.integers(1, 20 if way else 2))).tolist():
            found[at] ^= 1 << int(rng.integers(8))
    elif way == 2:
        del found[low:]
    elif way == 3:
        del found[low:high]
    elif way == 4:
        found[low:low] = rng.bytes(int(rng.integers(1, 200)))
    elif way == 5:
        found[low:high] = bytes(high - low)
    else:
        found[low:high] = found[:high][::-1][: high - low]
    return bytes(found)


# --- what comes of them ---------------------------------------------------------------------------------------------


class _Late(BaseException):
    pass


def timed(ask: Callable[[], str]) -> Outcome:
    """What `ask` comes to, errors named; no longer than LONGEST."""

    def late(*_: Any) -> None:
        raise _Late

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    start = time.perf_counter()
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            what = ask()
    except XattnError:
        what = "refused"
    except _Late:
        what = "hang"
    except Exception as problem:
        what = f"raw: {type(problem).__name__}: {str(problem)[:80]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return Outcome(what, time.perf_counter() - start)


def said(model: Recommender) -> list[np.ndarray]:
    """Numbers that a model says; an error of ours is one way to say nothing."""
    data, found = model.data_, []
    asked = [{"user": data.user_ids[0]}, {"history": list(data.items.ids[: len(HISTORY)])}]
    for question in asked:
        found += [model.score(**question), model.recommend(**question)["score"].to_numpy()]
        ledger = model.explain(**question, item=data.items.ids[-1])
        found += [ledger.cells[name].to_numpy() for name in ("weight", "contribution")]
        found += [np.array([ledger.score, ledger.base])]
    return found


def of_model(path: Path, wanted: list[np.ndarray] | None = None) -> Outcome:
    """Load it and ask it; with `wanted`, what is answered must be that."""

    def ask() -> str:
        model = load_model(path)
        try:
            found = said(model)
        except XattnError:
            return "answered"
        if not all(np.isfinite(numbers).all() for numbers in found):
            return "nan"
        if wanted is None:
            return "answered"
        same = len(found) == len(wanted) and all(map(np.array_equal, found, wanted))
        return "answered" if same else "other answer"

    return timed(ask)


def of_data(path: Path) -> Outcome:
    """Read it as events."""

    def ask() -> str:
        data = read_interactions(path, max_bytes=64 * 2**20)
        rated = data.rating is None or not np.isinf(data.rating).any()
        return "answered" if rated and (data.time is None or np.isfinite(data.time).all()) else "nan"

    return timed(ask)


def model_files(folder: Path, n_crafted: int, n_damaged: int, seed: int) -> Iterator[tuple[str, Outcome]]:
    """Files of each kind, one after another: how each was made, and what came of it."""
    rng = np.random.default_rng(seed)
    bases = [folder / f"{name}.npz" for name in MODELS]
    for name, path in zip(MODELS, bases, strict=True):
        fitted(name).save(path)
    wanted = [said(load_model(path)) for path in bases]
    out = folder / "odd.npz"
    for _ in range(n_crafted):
        one, two = rng.integers(len(bases), size=2)
        yield f"crafted {crafted(rng, bases[one], bases[two], out)}", of_model(out)
    for _ in range(n_damaged):
        one = int(rng.integers(len(bases)))
        out.write_bytes(damaged(rng, bases[one].read_bytes()))
        yield "damaged", of_model(out, wanted[one])


def data_files(folder: Path, n: int, seed: int) -> Iterator[tuple[str, Outcome]]:
    """Damaged files of events in each form."""
    rng = np.random.default_rng(seed)
    frame = fitted("popularity").data_.to_frame()[["user", "item", "rating"]].head(300)
    plain = frame.to_csv(index=False).encode()
    packed, parquet, sheet = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ratings.csv", plain)
    frame.to_parquet(parquet)
    forms = {
        "csv": plain,
        "csv in UTF-16": plain.decode().encode("utf-16"),
        "gzip": gzip.compress(plain),
        "xz": lzma.compress(plain),
        "zip": packed.getvalue(),
        "parquet": parquet.getvalue(),
        "json": frame.to_json(orient="records").encode(),
        "json lines": frame.to_json(orient="records", lines=True).encode(),
    }
    try:
        frame.to_excel(sheet, index=False)
        forms["excel"] = sheet.getvalue()
    except ImportError:
        pass
    for _ in range(n):
        form = list(forms)[rng.integers(len(forms))]
        (folder / "odd").write_bytes(damaged(rng, forms[form]))
        yield f"data {form}", of_data(folder / "odd")


def bad(results: Iterator[tuple[str, Outcome]], tell: Callable[[str], object] = lambda text: None) -> Counter[str]:
    """How often each outcome came; those that must not come are told."""
    counts: Counter[str] = Counter()
    for number, (how, outcome) in enumerate(results):
        counts[outcome.what.partition(":")[0]] += 1
        counts["slowest ms"] = max(counts["slowest ms"], round(outcome.seconds * 1000))
        if outcome.what not in ("refused", "answered"):
            tell(f"{number} {how}: {outcome.what}")
    return counts


def frame_of(counts: dict[str, Counter[str]]) -> pd.DataFrame:
    """Outcomes by kind of file."""
    return pd.DataFrame(counts).fillna(0).astype(int).T


# --- kills ----------------------------------------------------------------------------------------------------------

KILLING = """
import json, os, random, signal, sys, time
from xattn import load_model

source, target, n, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
new, folder, rng = load_model(source), os.path.dirname(target), random.Random(seed)
whole = {new.fingerprint(), load_model(target).fingerprint()}
found = {"kills": 0, "broken": 0, "with a leftover": 0, "leftovers after the next save": 0}
while found["kills"] < n:
    child = os.fork()  # no kernel has run in parallel
    while not child:
        new.save(target)
    time.sleep(rng.uniform(0.001, 0.05))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found["kills"] += 1
    found["broken"] += load_model(target).fingerprint() not in whole
    found["with a leftover"] += len(os.listdir(folder)) > 1
    new.save(target)
    found["leftovers after the next save"] += len(os.listdir(folder)) - 1
print(json.dumps(found))
"""


def kills(folder: Path, n: int, seed: int) -> dict[str, int]:
    """Kill a process that saves a model again and again, `n` times at random moments; save once more after each."""
    source, target = folder / "source.npz", folder / "target" / "model.npz"
    target.parent.mkdir()
    fitted("collaborative").save(source)
    fitted("popularity").save(target)
    command = [sys.executable, "-c", KILLING, str(source), str(target), str(n), str(seed)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found
