"""Small originals of the public sets, in the form in which they are published, and a server that has them.

The server breaks off, forgets, changes and answers with other things than files, as it is told.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd

from xattn.scenarios.convert import HOUSEHOLD, PRODUCTS
from xattn.scenarios.fetch import PublicSet, RemoteFile, public_set

__all__ = ["ORIGINALS", "Server", "serving", "set_at"]


def _zip(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return packed.getvalue()


def _tar(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("entree/data/features.txt.link")  # is passed over
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    return packed.getvalue()


def _households() -> bytes:
    rows = []
    for family in range(1, 13):
        for imputation in range(1, 6):
            own = {code.lower(): int((family + at) % 3 == 0 or at < 2) for at, code in enumerate(PRODUCTS)}
            rows.append(
                {"yy1": family, "y1": 10 * family + imputation, **own, **dict.fromkeys(map(str.lower, HOUSEHOLD), 1)}
            )
            rows[-1]["race"] = 2
    file = io.BytesIO()
    pd.DataFrame(rows).to_stata(file, write_index=False)
    return _zip(rscfp2019_dot_dta=file.getvalue())


DRUGS = ["metformin", "insulin", "metformin-pioglitazone"]
_STAYS = "".join(
    f"{100 + 10 * patient + stay},{patient},Caucasian,Female,[70-80),?,250.0{stay},428,?,No,{drug},No,NO\n"
    for patient in range(1, 9)
    for stay, drug in enumerate(("No", "Steady", "Up"))
)
_CARS = "".join(
    f"{10 * n},Make {n % 3},Model {n},{2000 + n},Compact,Auto,Front,4,2.0,Gas,30,25,extra\n" for n in range(1, 20)
)
_GIVEN = "".join(f'"{1 + n % 4}","{n // 4}","{10 * (n % 4)}","0","{"?" if n == 3 else 35 + n}"\n' for n in range(40))
_SESSIONS = "01/Sep/1996:10:00:00\thost.aol.com\t0\t1L\t1L\t2M\t2M\t3L\t-1\n"
_POST = (
    '<row Id="{0}" PostTypeId="1" OwnerUserId="{1}" CreationDate="2018-03-{2:02d}T10:00:00" '
    'Title="Why {0}?" Tags="&lt;gates&gt;&lt;noise&gt;" Body="x" />'
)
_ANSWER = (
    '<row Id="{0}" PostTypeId="2" ParentId="{1}" OwnerUserId="{2}" CreationDate="2018-03-{3:02d}T11:00:00" Body="y" />'
)


def _dump(rows: list[str]) -> bytes:
    return ('<?xml version="1.0" encoding="utf-8"?>\n<posts>\n' + "\n".join(rows) + "\n</posts>\n").encode()


_ID = '"informfully_id","articleId","createdAt","articlePublishedDate"'
_INTERESTING = "DZyvQCx4sTr6xhd67"
ORIGINALS: dict[str, dict[str, bytes]] = {
    "fueleconomy-cars": {
        "vehicles.csv.zip": _zip(
            vehicles_dot_csv=(
                "id,make,model,year,VClass,trany,drive,cylinders,displ,fuelType,highway08,city08,guzzler\n" + _CARS
            ).encode()
        )
    },
    "uci-diabetes-130": {
        "diabetes.zip": _zip(
            diabetic_data_dot_csv=(
                "encounter_id,patient_nbr,race,gender,age,weight,diag_1,diag_2,diag_3,"
                + ",".join(DRUGS)
                + ",readmitted\n"
                + _STAYS
            ).encode(),
            IDS_mapping_dot_csv=b"a,b\n",
        )
    },
    "oulad": {
        "oulad.zip": _zip(
            studentAssessment_dot_csv=(
                '"id_assessment","id_student","date_submitted","is_banked","score"\n' + _GIVEN
            ).encode(),
            assessments_dot_csv=(
                '"code_module","code_presentation","id_assessment","assessment_type","date","weight"\n'
                + "".join(f'"AAA","2013J","{n}","TMA","{19 if n < 4 else "?"}","10"\n' for n in range(1, 5))
            ).encode(),
            studentInfo_dot_csv=b"gender\n",
        )
    },
    "uci-entree": {
        "entree_data.tar.gz": _tar(
            {
                "entree/session/session.1996-Q4": _SESSIONS.replace("Sep", "Oct").encode(),
                "entree/session/session.1996-Q3": (_SESSIONS * 3).encode(),
                "entree/session/README": b"",
                "entree/data/chicago.txt": b"0000001\tOne\t001 002\n0000002\tTwo\t002\n0000003\tThree\t001\n",
                "entree/data/features.txt": b"001\tQuiet\n002\tCheap\n",
                "entree/data/boston.txt": b"0000001\tElsewhere\t001\n",
            }
        )
    },
    "deezer-ro": {
        "gemsec_deezer_dataset.tar.gz": _tar(
            {
                "gemsec/deezer_clean_data/RO_genres.json": b'{"0": ["Jazz", "Pop"], "3": ["Pop"], "4": ["Rap"]}',
                "gemsec/deezer_clean_data/RO_edges.csv": b"node_1,node_2\n0,3\n",
            }
        )
    },
    "informfully-idea": {
        "bookmarks.csv": (_ID + '\n"u1","a1","2023-11-21T10:00:00","2023-11-20"\n').encode(),
        "favourites.csv": (_ID + '\n"u2","a1","2023-11-21T11:00:00","1700438400000"\n').encode(),
        "ratings.csv": (
            _ID + f',"articleQuestionId","articleAnswer"\n"u1","a2","2023-11-22T10:00:00","","{_INTERESTING}","-1"\n'
        ).encode(),
    },
    "stackexchange-quantum": {
        "Posts.xml": _dump([_POST.format(1, 7, 1), _POST.format(2, 8, 2), _ANSWER.format(3, 1, 9, 3)]),
        "Comments.xml": _dump(
            ['<row Id="1" PostId="3" UserId="7" CreationDate="2018-03-04T10:00:00" Text="secret" />']
        ),
        "Votes.xml": _dump(
            [
                '<row Id="1" PostId="2" VoteTypeId="5" UserId="9" CreationDate="2018-03-05T00:00:00" />',
                '<row Id="2" PostId="2" VoteTypeId="2" CreationDate="2018-03-05T00:00:00" />',
            ]
        ),
    },
    "scf2019-households": {"scfp2019s.zip": _households()},
}


class Server(ThreadingHTTPServer):
    """Files by path. `breaks`: after so many bytes the connection ends, once for each number; `ranges`: whether it can
    go on from a byte; `asked`: the ranges that were asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = files
        self.breaks: list[int] = []
        self.ranges = True
        self.status = 200
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        content = self.server.files.get(self.path)
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if content is None or self.server.status != 200:
            self.send_error(404 if content is None else self.server.status)
            return
        version = f'"{hashlib.md5(content).hexdigest()}"'
        start = 0
        if wanted and self.server.ranges and self.headers.get("If-Range") == version:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        if self.server.ranges:
            self.send_header("ETag", version)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        part = content[start:]
        if self.server.breaks:
            part = part[: self.server.breaks.pop(0)]
            self.close_connection = True
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Server]:
    """A server that has these files, by path."""
    server = Server(files)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def set_at(name: str, server: Server) -> PublicSet:
    """The public set of this name, at the addresses of the server."""
    one = public_set(name)
    return replace(one, files=tuple(RemoteFile(file.name, f"{server.url}/{name}/{file.name}") for file in one.files))
