"""Speed side by side: ours and every installed rival in the same run. Results are compared first, then times."""

from xattn.bench.run import ROUNDS, Stopped, bench
from xattn.bench.suites import SUITES

__all__ = ["ROUNDS", "SUITES", "Stopped", "bench"]
