"""Faults planted in the writer of files; the tests of tests/test_files.py must see each."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import test_files as tests
from tests.planting import must_fail
from xattn import files
from xattn.errors import InputError

posix = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes, modes and signals")


def nothing(*_: Any) -> None: ...


def renamed_one_by_one(drafts: dict[Any, Any]) -> None:
    """Nothing is put back when a later file cannot take its place."""
    for name, draft in drafts.items():
        with files._refusing(name):
            os.replace(draft.name, draft.path)


FAULTS: dict[str, tuple[Any, str, Any, Callable[..., Any], tuple[Any, ...]]] = {
    "leftovers stay": (
        files,
        "_clean",
        nothing,
        tests.test_a_killed_writer_leaves_the_old_file_and_the_next_write_cleans_up,
        (),
    ),
    "drafts at work are deleted": (
        files,
        "_delete_unlocked",
        os.unlink,
        tests.test_the_draft_of_a_writer_at_work_is_no_leftover,
        (),
    ),
    "drafts are not locked": (
        files,
        "_locked",
        lambda handle: True,
        tests.test_the_draft_of_a_writer_at_work_is_no_leftover,
        (),
    ),
    "links are replaced": (files, "_place", Path, tests.test_a_link_is_followed, ()),
    "devices are replaced": (
        files,
        "_place",
        Path,
        tests.test_what_is_no_file_is_refused_and_left_alone,
        ("pipe", files.check_output),
    ),
    "the mode is forgotten": (os, "fchmod", nothing, tests.test_a_replaced_file_keeps_its_mode, (0o640,)),
    "the umask is forgotten": (
        files,
        "NEW_FILE",
        0o600,
        tests.test_a_new_file_has_the_mode_of_one_that_open_makes,
        (0o022,),
    ),
    "a check leaves its draft": (os, "unlink", nothing, tests.test_a_place_is_checked_without_a_trace, ()),
}


@posix
@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_of_the_writer_is_seen(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, faulty, test, args = FAULTS[what]
    monkeypatch.setattr(where, name, faulty)
    must_fail(test, *args, tmp_path, by=(AssertionError, FileNotFoundError, InputError, pytest.fail.Exception))


@posix
@pytest.mark.parametrize(
    ("name", "faulty", "test"),
    [
        ("_sync", nothing, tests.test_the_file_is_synced_before_the_rename_and_the_folder_after_it),
        ("_replace", renamed_one_by_one, tests.test_files_replaced_before_a_failure_get_their_old_content_again),
    ],
)
def test_a_fault_of_the_order_is_seen(name: str, faulty: Any, test: Any, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as outer, pytest.MonkeyPatch.context() as inner:
        outer.setattr(files, name, faulty)
        must_fail(test, tmp_path, inner)
