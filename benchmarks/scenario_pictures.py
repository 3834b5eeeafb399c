"""The pictures on the cards of the page *Scenarios*, drawn anew from the simulated sets of the ten manifests.

    python benchmarks/scenario_pictures.py

They are written to xattn/app/scenarios/pictures/, and stand there because drawing them takes some seconds.
"""

from __future__ import annotations

import os
from pathlib import Path

from xattn.app.scenarios.drawing import picture
from xattn.files import write_file
from xattn.scenarios import load, names
from xattn.scenarios.sets import FOLDER

HERE = Path(__file__).parents[1] / "xattn" / "app" / "scenarios" / "pictures"


def main() -> None:
    os.environ.pop(FOLDER, None)  # made items, whatever public sets lie here
    for name in names():
        truth = load(name).data("simulated").truth
        assert truth is not None
        write_file(HERE / f"{name}.svg", picture(name, truth))
        print(name)


if __name__ == "__main__":
    main()
