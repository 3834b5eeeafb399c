"""Scenarios: ten fields, each a manifest, with data, words, warnings and what an explanation is worth there.

>>> from xattn import scenarios
>>> scenarios.load("finance").manifest.warnings[0].en.split(":")[0]
'No advice'
"""

from xattn.scenarios.claims import Claims, check_claims
from xattn.scenarios.manifest import Manifest, manifest_of, names
from xattn.scenarios.run import Outcome, Scenario, load
from xattn.scenarios.sets import ScenarioSet
from xattn.scenarios.write import new_manifest

__all__ = [
    "Claims",
    "Manifest",
    "Outcome",
    "Scenario",
    "ScenarioSet",
    "check_claims",
    "load",
    "manifest_of",
    "names",
    "new_manifest",
]
