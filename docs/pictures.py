"""The pictures of the pages that the documents show, taken from a real server: `python docs/pictures.py`.

Each page in the light and the dark theme, in Chinese, and as a phone shows it. They are drawn with 256 colours, which
keeps the files small.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.app.browser import chromium
from tests.app.visit import Visit, serving_at, settled
from xattn.i18n import t

FOLDER = Path(__file__).parent / "pictures"
PAGES = {  # name: address, title, pixels of height in a picture
    "front": ("/?films=1*2571_5~1_5~356_5&without=356", "front.title", 900),
    "recommendations": ("/recommendations?user=42&item=91542", "recommendations.title", 1620),
    "worked": ("/worked?step=3", "worked.title", 1250),
    "behaviour": ("/behaviour", "behaviour.title", 1500),
    "data": ("/data", "mine.title", 1750),
    "lab": ("/lab", "lab.title", 1100),
}
TABLE = "\n".join(  # what the page "Your data" is shown with: a library's loans, some of which name nobody
    [
        "loan,reader,volume,stars,lent on",
        *(
            f"{6 * u + n},reader {u},book {(u * 5 + n * n) % 13},{1 + (u + n) % 5},2024-0{1 + n}-1{u % 10}"
            for u in range(40)
            for n in range(6)
        ),
        "240,,book 3,4,2024-07-01",
        "241,reader 7,,5,2024-07-02",
    ]
).encode()
LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "zh": {"locale": "zh-CN"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}


def shoot(browser: Any, server: str, page: str, look: str) -> None:
    """One picture."""
    path, title, height = PAGES[page]
    language = "zh" if look == "zh" else "en"
    visit = Visit(browser, **LOOKS[look])
    seen = visit.turn_to(server + path, t(title, language))
    if page == "data":
        seen.locator("input[type=file]").set_input_files(
            {"name": "lending.csv", "mimeType": "text/csv", "buffer": TABLE}
        )
        seen.get_by_role("button", name=t("mine.do_missing", language)).wait_for()
        settled(seen)
    width = seen.viewport_size["width"]
    seen.set_viewport_size({"width": width, "height": height})
    seen.wait_for_timeout(1500)
    settled(seen)
    to = FOLDER / f"{page}-{look}.png"
    seen.screenshot(path=to)
    visit.context.close()
    Image.open(to).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(to, optimize=True)
    print(f"{to.name}: {to.stat().st_size / 1000:.0f} kB", flush=True)


def shoot_picture(browser: Any, server: str, look: str) -> None:
    """The living picture alone, for the README."""
    visit = Visit(browser, **LOOKS[look])
    seen = visit.turn_to(f"{server}/recommendations?user=42", t("recommendations.title"))
    picture = seen.locator(".xp")
    picture.locator("path.lit").first.wait_for()
    seen.set_viewport_size({"width": 1280, "height": 1100})
    seen.wait_for_timeout(1000)
    to = FOLDER / f"picture-{look}.png"
    picture.screenshot(path=to)
    visit.context.close()
    Image.open(to).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(to, optimize=True)
    print(f"{to.name}: {to.stat().st_size / 1000:.0f} kB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", help="a server that is running already")
    parser.add_argument("--only", help="one page by name")
    asked = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    with serving_at(asked.address) as server, chromium() as browser:
        for look in ("light", "dark"):
            if asked.only in (None, "picture"):
                shoot_picture(browser, server, look)
        for page in PAGES:
            for look in LOOKS:
                if asked.only in (None, page):
                    shoot(browser, server, page, look)


if __name__ == "__main__":
    main()
