"""Files as they are published → files as the converters read them. Each function is one public set.

A function is given the folder with the files that have come, and returns the files to be kept, by name. It leaves out
what nobody needs: columns of persons, names of hosts, texts.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

from xattn.scenarios.convert import HOUSEHOLD, MEDICINES_FROM, MEDICINES_TO, PRODUCTS

__all__ = ["ORIGINALS", "Kept"]

Kept = Mapping[str, bytes]
MOST = 1_000_000_000  # bytes of one member of an archive: no set here has half as many
NO_DATE = 0  # in a gzip header: the same content makes the same bytes


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=NO_DATE)


def _csv(frame: pd.DataFrame) -> bytes:
    return _packed(frame.to_csv(index=False, lineterminator="\n").encode())


def _read(raw: bytes) -> pd.DataFrame:
    frame: pd.DataFrame = pd.read_csv(io.BytesIO(raw), dtype=str, keep_default_na=False)
    return frame


def _member(path: Path, name: str) -> bytes:
    """The one member of a zip file whose path ends in `name`. Raises ValueError where there is none."""
    with zipfile.ZipFile(path) as packed:
        for info in packed.infolist():
            if info.filename.rpartition("/")[2].lower() == name.lower() and info.file_size <= MOST:
                return packed.read(info)
    raise ValueError(name)


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of the files of a tar archive; links and devices are passed over."""
    with tarfile.open(path, "r:*") as packed:
        for info in packed:
            if info.isfile() and info.size <= MOST and (file := packed.extractfile(info)) is not None:
                yield info.name, file.read()


def _cars(folder: Path) -> Kept:
    table = _read(_member(folder / "vehicles.csv.zip", "vehicles.csv"))
    table = table[table["year"].astype(float) <= 2015]
    names = {
        "VClass": "class",
        "trany": "trans",
        "cylinders": "cyl",
        "fuelType": "fuel",
        "highway08": "hwy",
        "city08": "cty",
    }
    table = table.rename(columns=names)
    columns = ["id", "make", "model", "year", "class", "trans", "drive", "cyl", "displ", "fuel", "hwy", "cty"]
    return {"vehicles.csv.gz": _csv(table[columns])}


def _diabetes(folder: Path) -> Kept:
    table = _read(_member(folder / "diabetes.zip", "diabetic_data.csv"))
    header = table.columns.tolist()
    drugs = header[header.index(MEDICINES_FROM) : header.index(MEDICINES_TO) + 1]
    columns = ["encounter_id", "patient_nbr", "diag_1", "diag_2", "diag_3", *drugs]
    return {"diabetic_data.csv.gz": _csv(table[columns])}


def _oulad(folder: Path) -> Kept:
    given = _read(_member(folder / "oulad.zip", "studentAssessment.csv"))
    given["score"] = given["score"].replace("?", "")
    tests = _read(_member(folder / "oulad.zip", "assessments.csv"))
    return {
        "studentAssessment.csv.gz": _csv(given),
        "assessments.csv": tests.to_csv(index=False, lineterminator="\n").encode(),
    }


def _entree(folder: Path) -> Kept:
    sessions: dict[str, bytes] = {}
    kept: dict[str, bytes] = {}
    for path, content in _members(folder / "entree_data.tar.gz"):
        name = path.rpartition("/")[2]
        if name.startswith("session."):
            sessions[name] = content
        elif name in ("chicago.txt", "features.txt"):
            kept[name] = content
    if not sessions or len(kept) < 2:
        raise ValueError("session.*, chicago.txt, features.txt")
    numbers: dict[str, str] = {}
    lines = []
    for _, content in sorted(sessions.items()):
        for line in content.decode("latin-1").splitlines():
            date, host, *rest = line.split("\t")
            lines.append("\t".join([date, numbers.setdefault(host, str(len(numbers) + 1)), *rest]))
    return {**kept, "sessions.tsv.gz": _packed(("\n".join(lines) + "\n").encode("latin-1"))}


def _deezer(folder: Path) -> Kept:
    for path, content in _members(folder / "gemsec_deezer_dataset.tar.gz"):
        if path.rpartition("/")[2] == "RO_genres.json":
            return {"RO_genres.json.gz": _packed(content)}
    raise ValueError("RO_genres.json")


def _informfully(folder: Path) -> Kept:
    return {
        f"{name}.csv.gz": _packed((folder / f"{name}.csv").read_bytes())
        for name in ("bookmarks", "favourites", "ratings")
    }


ANSWER, QUESTION = "2", "1"  # types of posts
FAVOURITE, BOUNTY = "5", "8"  # types of votes


def _quantum(folder: Path) -> Kept:
    posts = list(_rows(folder / "Posts.xml"))
    asked = {post["Id"]: post for post in posts if post.get("PostTypeId") == QUESTION}
    about = {post["Id"]: post["ParentId"] for post in posts if post.get("PostTypeId") == ANSWER and "ParentId" in post}
    about |= {number: number for number in asked}
    events: list[tuple[str | None, str | None, str, str]]
    events = [(p.get("OwnerUserId"), p["Id"], "ask", p["CreationDate"]) for p in asked.values()]
    events += [
        (p.get("OwnerUserId"), p["ParentId"], "answer", p["CreationDate"])
        for p in posts
        if p["Id"] in about and p["Id"] not in asked
    ]
    events += [
        (c.get("UserId"), about.get(c["PostId"]), "comment", c["CreationDate"]) for c in _rows(folder / "Comments.xml")
    ]
    kinds = {FAVOURITE: "favourite", BOUNTY: "favourite"}
    events += [
        (v.get("UserId"), about.get(v["PostId"]), kinds[v["VoteTypeId"]], v["CreationDate"])
        for v in _rows(folder / "Votes.xml")
        if v.get("VoteTypeId") in kinds
    ]
    known = [event for event in events if event[0] and event[0] != "-1" and event[1] in asked]
    frame = pd.DataFrame(known, columns=["user", "question", "event", "time"])
    frame = frame.sort_values("time", kind="stable").reset_index(drop=True)
    frame["user"] = (pd.factorize(frame["user"])[0] + 1).astype(str)
    titles = pd.DataFrame(
        [(n, p.get("Title", ""), "|".join(_tags(p.get("Tags", "")))) for n, p in asked.items()],
        columns=["question", "title", "tags"],
    )
    return {"events.csv.gz": _csv(frame), "questions.csv.gz": _csv(titles)}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table of a data dump. A document with a definition of its own is refused: it could grow without
    end."""
    with path.open("rb") as file:
        if b"<!" in file.read(4096).replace(b"<!--", b""):
            raise ValueError(path.name)
        file.seek(0)
        for _, element in ElementTree.iterparse(file):
            if element.tag == "row":
                yield dict(element.attrib)
            element.clear()


def _tags(text: str) -> list[str]:
    return [tag for tag in text.replace("<", "|").replace(">", "|").split("|") if tag]


def _scf(folder: Path) -> Kept:
    with zipfile.ZipFile(folder / "scfp2019s.zip") as packed:
        [name] = [info.filename for info in packed.infolist() if info.filename.lower().endswith(".dta")]
        table = pd.read_stata(io.BytesIO(packed.read(name)))
    table.columns = [str(column).upper() for column in table.columns]
    first = table[table["Y1"].astype(int) % 10 == 1]  # the first of five imputations of a family
    kept = first[["YY1", *HOUSEHOLD, *PRODUCTS]].astype(int)
    return {"scf2019_products.csv.gz": _csv(kept)}


ORIGINALS: dict[str, Callable[[Path], Kept]] = {
    "cars": _cars,
    "deezer": _deezer,
    "diabetes": _diabetes,
    "entree": _entree,
    "informfully": _informfully,
    "oulad": _oulad,
    "quantum": _quantum,
    "scf": _scf,
}
