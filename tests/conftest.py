"""Hypothesis for this suite: the same examples on every run and machine, no clock, so a failure can be repeated."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "xattn",
    derandomize=True,
    deadline=None,  # the first call compiles
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("xattn")
