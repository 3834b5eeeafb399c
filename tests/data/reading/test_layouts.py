"""Layouts and faults (tables in tests/data/layouts): roles are right or told as unsure, faults named with their row."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.data.reading.holders import held
from xattn.data import check_data, read_interactions, read_items
from xattn.errors import DataError, InputError

FOLDER = Path(__file__).parents[1] / "layouts"
LAYOUTS = tomllib.loads((FOLDER / "layouts.toml").read_text("utf-8"))["layout"]
FAULTS = tomllib.loads((FOLDER / "faults.toml").read_text("utf-8"))["fault"]
RIGHT = 0.95  # share of all roles that must be right

counted: dict[str, tuple[int, int, int]] = {}  # layout → roles, right ones, wrong ones that are told as unsure


def roles_of(layout: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Role → the column taken for it, and the set of roles that are told as unsure."""
    source = held(layout, folder)
    reader = read_items if layout.get("of") == "items" else read_interactions
    report = reader(source).report  # type: ignore[operator]
    taken: dict[str, Any] = {use.role: use.column for use in report.columns if use.role and use.role != "feature"}
    features = [use.column for use in report.columns if use.role == "feature"]
    if features:
        taken["feature"] = [name.partition(":token")[0] for name in features]
    unsure = {use.role for use in report.columns if use.role and not use.sure}
    return {"taken": taken, "unsure": unsure, "report": report}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one["name"])
def test_layout(layout: dict[str, Any], tmp_path: Path) -> None:
    found = roles_of(layout, tmp_path)
    wanted, taken = dict(layout["roles"]), found["taken"]
    for role, others in layout.get("either", {}).items():
        if taken.get(role) in others:
            wanted[role] = taken[role]
    if "feature" in wanted:
        taken["feature"] = [name for name in taken.get("feature", []) if name != "year"]
        taken["feature"] = [name for name in taken["feature"] if name in wanted["feature"]]
    wrong = {role for role in wanted | taken if wanted.get(role) != taken.get(role)}
    told = {role for role in wrong if role in found["unsure"]}
    counted[layout["name"]] = (len(wanted), len(wanted) - len(wrong), len(told))
    assert wrong == told, f"{layout['name']}: {taken} instead of {wanted}"
    for lang in ("en", "zh"):
        assert found["report"].text(lang)
    found["report"].to_dict()


def test_shares(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Of all roles of all layouts; the figures are printed."""
    for number, layout in enumerate(LAYOUTS):
        if layout["name"] not in counted:
            folder = tmp_path / str(number)
            folder.mkdir()
            test_layout(layout, folder)
    roles, right, told = (sum(column) for column in zip(*counted.values(), strict=True))
    with capsys.disabled():
        print(f"\n{len(counted)} layouts: {right} of {roles} roles right ({right / roles:.1%}), {told} told as unsure")
        print(f"{len(FAULTS)} planted faults, each named with its row")
    assert len(LAYOUTS) >= 30
    assert len(FAULTS) >= 30
    assert right >= RIGHT * roles
    assert right + told == roles


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one["name"])
def test_fault(fault: dict[str, Any], tmp_path: Path) -> None:
    source = held(fault, tmp_path)
    items = None
    if "items" in fault:
        items = tmp_path / "items.csv"
        items.write_text(fault["items"], "utf-8")
    options = fault.get("options", {})
    if "refusal" in fault:
        with pytest.raises((DataError, InputError)) as caught:
            check_data(source, items, **options)
        assert fault["refusal"] in str(caught.value)
        assert "\n" not in str(caught.value)
        return
    report = check_data(source, items, **options)
    finding = report.found(fault["finding"])
    assert finding is not None, [one.id for one in report.all_findings]
    assert list(finding.rows)[: len(fault["rows"])] == fault["rows"]
    assert (finding.severity == "error") == (fault["finding"] in ERRORS)
    for lang in ("en", "zh"):
        assert "{" not in finding.text(lang)
    if finding.severity == "error":
        with pytest.raises(DataError, match=f"line {fault['rows'][0]}"):
            read_interactions(source, items, **options)


ERRORS = {"missing", "ids_broken", "time_unread", "time_ambiguous", "rating_unread"}


def test_faults_are_told_all_at_once(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("user,item,rating,date\nu,a,4,2024-01-01\n,b,good,soon\nv,a,x,2024-01-02\nv,b,5,later\n")
    report = check_data(path)
    assert [finding.id for finding in report.errors] == ["missing", "rating_unread", "time_unread"]
    with pytest.raises(DataError, match=r"2 more kinds of error: rating_unread, time_unread"):
        read_interactions(path)
