"""Hypothesis for this suite: the same examples on every run and machine, no clock, so a failure can be repeated. And no
data set that somebody has fetched here.
"""

from __future__ import annotations

import os
import tempfile

import numba
from hypothesis import HealthCheck, settings

settings.register_profile(
    "xattn",
    derandomize=True,
    deadline=None,  # the first call compiles
    max_examples=10 if numba.config.DISABLE_JIT else 60,  # kernels in plain Python: `make coverage`
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("xattn")

os.environ["XATTN_DATA"] = os.path.join(tempfile.gettempdir(), "xattn-tests-fetch-nothing")
