"""Many visitors at once: sessions that use the recommendations page without a pause, and what becomes of the server.

    python benchmarks/pages_load.py [--sessions 20] [--minutes 2] [--address http://localhost:8501]

Each session speaks Streamlit's own protocol over a web socket: it opens a user's list, opens a reason, closes it, and
goes on to the next user. Every list that comes back is compared with what the library serves for that user: a mixed-up
answer is a wrong answer. Prints runs, wrong answers, errors, and the server's memory over time; ends with 1 for a
crash, a wrong answer, or memory that still grows by more than a tenth from the middle to the end.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

sys.path.insert(0, str(Path(__file__).parents[1]))

import xattn
from tests.app.visit import serving_at
from xattn.app.ui.text import spoken

LINE = re.compile(r"\*\*([0-9]+)\*\* · (.*?)  \n:small")  # of the list; the explained item may stand behind it
GROWTH = 1.10
USERS = 60


def memory_mb(pid: int) -> float:
    """Resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def server_pid(port: int) -> int | None:
    """The process that listens at a port, where /proc tells."""
    wanted = f":{port:04X}"
    inodes = {
        parts[9]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if (parts := line.split())[1].endswith(wanted) and parts[3] == "0A"
    }
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(link.readlink().name.removeprefix("socket:[").rstrip("]") in inodes for link in folder.iterdir()):
                return int(folder.parent.name)
        except OSError:  # a process of somebody else, or one that has just ended
            continue
    return None


class Tally:
    """What all sessions saw."""

    def __init__(self) -> None:
        self.runs, self.wrong, self.errors = 0, 0, 0
        self.seconds: list[float] = []
        self.memory: list[float] = []


async def run(socket: Any, message: BackMsg) -> list[str]:
    """One run of the script: the texts of the buttons that came with it."""
    await socket.send(message.SerializeToString())
    texts: list[str] = []
    while True:
        got = ForwardMsg.FromString(await asyncio.wait_for(socket.recv(), 60))
        kind = got.WhichOneof("type")
        if kind == "delta" and got.delta.WhichOneof("type") == "new_element":
            element = got.delta.new_element
            if element.WhichOneof("type") == "button":
                texts.append(element.button.label)
            elif element.WhichOneof("type") == "exception":
                texts.append("EXCEPTION")
        elif kind == "script_finished":
            return texts


def asking(query: str) -> BackMsg:
    """A run of the page at an address."""
    message = BackMsg()
    message.rerun_script.page_name = "recommendations"
    message.rerun_script.query_string = query
    return message


async def visit(address: str, expected: dict[str, list[str]], end: float, start_at: int, tally: Tally) -> None:
    """One visitor until `end`."""
    url = f"ws://{urlparse(address).netloc}/_stcore/stream"
    users = list(expected)
    async with websockets.connect(url, subprotocols=["streamlit"], origin=address, max_size=2**26) as socket:  # type: ignore[arg-type,list-item]
        at = start_at
        while time.monotonic() < end:
            user = users[at % len(users)]
            at += 1
            for item in ("", "&item=260", ""):
                began = time.monotonic()
                texts = await run(socket, asking(f"user={user}&model=HybridAttention&k=10{item}"))
                tally.seconds.append(time.monotonic() - began)
                tally.runs += 1
                lines = [found[2] for text in texts if (found := LINE.match(text))]
                tally.errors += "EXCEPTION" in texts
                tally.wrong += lines[: len(expected[user])] != expected[user]


async def watch(pid: int, end: float, tally: Tally) -> None:
    """Note the server's memory every five seconds."""
    while time.monotonic() < end:
        tally.memory.append(memory_mb(pid))
        await asyncio.sleep(5)


async def load(address: str, sessions: int, seconds: float) -> Tally:
    """All visitors at once."""
    data = xattn.load_dataset("movielens-small")
    model = xattn.HybridAttention().fit(data)
    expected = {
        user: [spoken(title, 70) for title in model.recommend(user=user, k=10)["title"]]
        for user in data.user_ids[:USERS]
    }
    tally, end = Tally(), time.monotonic() + seconds
    pid = server_pid(urlparse(address).port or 80)
    visits = [visit(address, expected, end, 3 * n, tally) for n in range(sessions)]
    if pid is not None:
        visits.append(watch(pid, end, tally))
    for outcome in await asyncio.gather(*visits, return_exceptions=True):
        if isinstance(outcome, BaseException):
            tally.errors += 1
            print(f"a session ended: {outcome!r}")
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--address", help="a server that is running already")
    asked = parser.parse_args()
    with serving_at(asked.address) as address:
        tally = asyncio.run(load(address, asked.sessions, 60 * asked.minutes))
    seconds = sorted(tally.seconds) or [0.0]
    outcome = f"{tally.runs} runs, {tally.wrong} wrong, {tally.errors} errors"
    print(f"{asked.sessions} sessions, {asked.minutes:g} min: {outcome}")
    print(f"seconds a run: median {statistics.median(seconds):.2f}, p95 {seconds[int(0.95 * (len(seconds) - 1))]:.2f}")
    grows = False
    if len(tally.memory) >= 4:
        middle, last = tally.memory[len(tally.memory) // 2], tally.memory[-1]
        grows = last > GROWTH * middle
        told = ", ".join(f"{mb:.0f}" for mb in tally.memory[:: max(1, len(tally.memory) // 8)])
        print(f"memory of the server in MB: {told}; middle {middle:.0f}, end {last:.0f}")
    return int(bool(tally.wrong or tally.errors or grows or not tally.runs))


if __name__ == "__main__":
    sys.exit(main())
