"""What /metrics tells, in the text format of Prometheus: calls and their seconds, events, the store and the model."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter

from xattn.live.live import Live

__all__ = ["Measures"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Measures:
    """Counts since the server began; names of routes and never of people."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[tuple[str, str, int]] = Counter()
        self._times: dict[str, list[float]] = {}
        self._events: Counter[str] = Counter()

    def call(self, method: str, route: str, status: int, seconds: float) -> None:
        """A call was answered."""
        with self._lock:
            self._calls[method, route, status] += 1
            times = self._times.setdefault(route, [0.0] * (len(SECONDS) + 2))
            times[bisect_left(SECONDS, seconds)] += 1
            times[-1] += seconds

    def events(self, **counts: int) -> None:
        """Events came: accepted, repeated, refused."""
        with self._lock:
            self._events.update(counts)

    def text(self, live: Live) -> str:
        """All of it, as Prometheus reads it."""
        with self._lock:
            calls, events = sorted(self._calls.items()), sorted(self._events.items())
            times = {route: list(own) for route, own in sorted(self._times.items())}
        lines = ["# TYPE xattn_requests_total counter"]
        lines += [f'xattn_requests_total{{method="{m}",route="{r}",status="{s}"}} {n}' for (m, r, s), n in calls]
        lines.append("# TYPE xattn_request_seconds histogram")
        for route, own in times.items():
            total = 0.0
            for bound, count in zip((*map(str, SECONDS), "+Inf"), own, strict=False):
                total += count
                lines.append(f'xattn_request_seconds_bucket{{route="{route}",le="{bound}"}} {total:g}')
            lines.append(f'xattn_request_seconds_sum{{route="{route}"}} {own[-1]:.6f}')
            lines.append(f'xattn_request_seconds_count{{route="{route}"}} {total:g}')
        lines.append("# TYPE xattn_events_total counter")
        lines += [f'xattn_events_total{{outcome="{name}"}} {count}' for name, count in events]
        for name, value in live.figures().items():
            lines += [f"# TYPE xattn_{name} gauge", f"xattn_{name} {value:g}"]
        return "\n".join(lines) + "\n"
