"""docs/data.md: its tables of layouts and findings are those of the tests and of the catalogue, and its code runs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from xattn.data.reading.choice import EVENT_ROLES
from xattn.i18n import keys, placeholders, t

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "data.md"
LAYOUTS = tomllib.loads((ROOT / "tests" / "data" / "layouts" / "layouts.toml").read_text("utf-8"))["layout"]


def layout_rows() -> list[str]:
    rows = []
    for layout in LAYOUTS:
        roles = layout["roles"]
        taken = [f"{role} ← {roles[role]}" for role in (*EVENT_ROLES, "feature") if role in roles]
        text = ", ".join(taken).replace("feature ← ['", "features ← ").replace("', '", ", ").replace("']", "")
        rows.append(f"| {layout['name']} | {text.replace('|', chr(92) + '|')} |")
    return rows


def finding_rows() -> list[str]:
    rows = []
    for key in keys():
        if key.startswith("data.finding."):
            sentence = t(key, **dict.fromkeys(placeholders(key), "…"))
            rows.append(f"| `{key.removeprefix('data.finding.')}` | {sentence} |")
    return rows


@pytest.mark.parametrize("rows", [layout_rows, finding_rows], ids=["layouts", "findings"])
def test_tables(rows: object) -> None:
    text = DOCS.read_text("utf-8")
    missing = [row for row in rows() if row not in text]  # type: ignore[operator]
    assert missing == [], "\n" + "\n".join(missing)


def test_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.csv").write_text(
        "visitorid,itemid,event,event_timestamp\nu1,a,view,1433221332117\nu1,b,purchase,1433221999827\n"
        "u2,a,view,1433224214164\n"
    )
    (tmp_path / "items.csv").write_text("itemid,title,genres\na,Tea,\"['hot', 'drink']\"\nb,Jam,['sweet']\n")
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "docs/data.md", "exec"), {})
