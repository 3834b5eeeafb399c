"""Ports of loopback for servers of the tests, which several processes start at once."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

# Systems give ports above 32767 (Linux) or 49151 (others) to whoever asks for any: to connections that go out.
# A port from below stays free until its server has it.
LOWEST, HIGHEST = 10_240, 32_767


def free_port() -> int:
    """A port that nobody listens on, drawn so that processes that ask at one moment get different ones."""
    draw = random.SystemRandom()
    for _ in range(100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", draw.randint(LOWEST, HIGHEST)))
            return int(probe.getsockname()[1])
    raise OSError("none of 100 ports of loopback could be had")
