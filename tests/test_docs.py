"""The papers tell the truth: README's code runs, its commands are the real ones, no file names a private place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
XATTN = Path(sys.executable).with_name("xattn")


def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


# --- README -----------------------------------------------------------------------------------------------------------


def blocks(text: str, language: str) -> list[str]:
    """The fenced code blocks of one language in a Markdown text, in order."""
    return re.findall(rf"^```{language}[^\S\n]*\n(.*?)^```[^\S\n]*$", text, re.MULTILINE | re.DOTALL)


def test_blocks_are_found() -> None:
    text = "a\n```python\nx = 1\n```\n```bash\nls\n```\n```python\ny = x\n\nz = y\n```\n"
    assert blocks(text, "python") == ["x = 1\n", "y = x\n\nz = y\n"]


def test_readme_code_runs(tmp_path: Path) -> None:
    """All Python blocks run as one program, one after the other, in a folder that is not the project's."""
    found = blocks(readme(), "python")
    assert found, "README shows no Python"
    program = tmp_path / "readme.py"
    program.write_text("\n\n".join(found), "utf-8")
    done = subprocess.run([sys.executable, program], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def commands(help_text: str) -> set[str]:
    """The names in the list of commands that `xattn --help` prints, whatever frame is drawn around it."""
    listed = re.split(r"commands\b.*\n", help_text, maxsplit=1, flags=re.IGNORECASE)
    return (
        set(re.findall(r"^[ │|]{1,4}([a-z][a-z-]*)(?:  |\s*[│|]?$)", listed[-1], re.MULTILINE)) if listed[1:] else set()
    )


def test_commands_are_found() -> None:
    plain = "Usage: xattn COMMAND\n\n  Do it.\n\nCommands:\n  app      Serve.\n  fit-all  Learn\n           more.\n"
    framed = "╭─ Commands ──────╮\n│ app      Serve. │\n│ fit-all  Learn. │\n╰─────────────────╯\n"
    assert commands(plain) == {"app", "fit-all"}
    assert commands(framed) == {"app", "fit-all"}
    assert commands("Usage: xattn\n") == set()


def test_readme_names_every_command() -> None:
    done = subprocess.run(
        [XATTN, "--help"], capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"}
    )
    found = commands(done.stdout)
    assert {"app", "example", "fit", "recommend", "explain", "evaluate", "bench", "doctor", "data"} <= found
    assert sorted(name for name in found if f"xattn {name}" not in readme()) == []


def test_readme_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", readme())
    assert [target for target in targets if not (ROOT / target).exists()] == []


# --- extending.md -----------------------------------------------------------------------------------------------------

EXTENDING = ROOT / "docs" / "extending.md"
LONGEST_MODEL = 60  # lines


def files_of(text: str) -> dict[str, str]:
    """The Python files that a page shows: a name in bold, then the block of code."""
    return dict(re.findall(r"^\*\*`([\w.]+)`\*\*\n\n```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def extensions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of their own for the files of the page."""
    folder = tmp_path_factory.mktemp("extensions")
    for name, code in files_of(EXTENDING.read_text("utf-8")).items():
        (folder / name).write_text(code, "utf-8")
    return folder


def test_every_block_of_the_page_is_a_file() -> None:
    text = EXTENDING.read_text("utf-8")
    assert len(files_of(text)) == len(blocks(text, "python")) == 7
    assert len(files_of(text)["followers.py"].splitlines()) <= LONGEST_MODEL


def run_there(extensions: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *command], cwd=extensions, capture_output=True, text=True, timeout=300, env=env
    )


@pytest.mark.parametrize("name", ["use_trigrams.py", "use_similar.py"])
def test_a_program_of_the_page_runs(extensions: Path, name: str) -> None:
    done = run_there(extensions, name)
    assert done.returncode == 0, done.stderr


def test_what_the_page_adds_keeps_the_contracts(extensions: Path) -> None:
    done = run_there(extensions, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout[-3000:]
    passed = int(re.findall(r"(\d+) passed", done.stdout)[0])
    assert passed > 70, "both contracts ran: that of models on three shapes of data"


OFF = """
real = Followers.scores_of
Followers.scores_of = lambda self, history: real(self, history) + 1e-3 * len(history)
"""


def test_a_model_that_serves_other_scores_than_its_ledger_does_not_keep_the_contract(
    extensions: Path, tmp_path: Path
) -> None:
    for path in extensions.glob("*followers.py"):
        wrong = OFF if path.name == "followers.py" else ""
        (tmp_path / path.name).write_text(path.read_text("utf-8") + wrong, "utf-8")
    done = run_there(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "adds_up_to_the_score")
    assert done.returncode == 1
    assert "AssertionError: cells and base give" in done.stdout


# --- constraints.txt --------------------------------------------------------------------------------------------------

PIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9.!+_-]+")


def pins() -> list[str]:
    return (ROOT / "constraints.txt").read_text("utf-8").splitlines()


def test_constraints_hold_pins_alone() -> None:
    assert [line for line in pins() if not PIN.fullmatch(line)] == []


def test_constraints_name_each_package_once_and_not_this_one() -> None:
    names = [re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in pins()]
    assert len(names) == len(set(names))
    assert "xattn" not in names


def test_constraints_pin_every_direct_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = [*project["project"]["optional-dependencies"].values(), *project["dependency-groups"].values()]
    wanted = [*project["project"]["dependencies"], *(entry for group in groups for entry in group)]
    names = {re.split(r"[><=!~ ;\[]", entry)[0] for entry in wanted if isinstance(entry, str)}
    assert names - {line.split("==")[0] for line in pins()} == set()


@pytest.mark.parametrize(
    "line", ["-e .", "numpy", "numpy>=2", "a @ file:///x/a.whl", "a==1 --hash=b", "a==1 ; b", "# a", ""]
)
def test_other_lines_are_no_pins(line: str) -> None:
    assert not PIN.fullmatch(line)


# --- every tracked file -----------------------------------------------------------------------------------------------

PRIVATE = re.compile(
    r"(?<![\w.])/(?:home|Users|root|work|opt|srv|mnt)/\w"  # a folder of one machine
    r"|\bfiles\.python" + r"hosted\.org|\bpypi\." + r"(?:org|python\.org)/simple|\bregistry\.npm" + r"js\.org"
    r"|(?:extra-)?index-" + r"url\b"
    r"|\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}\b(?!\.)"  # a private network
)


def tracked() -> list[Path]:
    """The files that git knows; where there is no git (an unpacked sdist), there are none to ask about."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("no git repository here")
    return [ROOT / name for name in done.stdout.split("\0") if name]


def private_places(text: str) -> list[str]:
    """The lines of a text that name a folder of one machine, a package registry's address or a private network."""
    return [line.strip()[:160] for line in text.splitlines() if PRIVATE.search(line)]


def test_no_tracked_file_names_a_private_place() -> None:
    found = {}
    for path in tracked():
        if (
            path.suffix in {".py", ".md", ".toml", ".txt", ".json", ".css", ".sh", ".yml", ".cfg", ""}
            and path.is_file()
        ):
            text = path.read_text("utf-8", errors="replace")
            lines = [*private_places(text), *([str(ROOT)] if f"{ROOT}/" in text else [])]
            if lines:
                found[path.name] = lines
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        "open('/ho" + "me/me/data.csv')",
        "/Us" + "ers/me/x",
        "see /wo" + "rk/main",
        "https://pypi.o" + "rg/simple/numpy",
        "https://files.python" + "hosted.org/packages/x.whl",
        "pip install --extra-index-" + "url http://host/simple",
        "http://192.1" + "68.0.7:8080",
    ],
)
def test_a_private_place_is_seen(line: str) -> None:
    assert private_places(line)


@pytest.mark.parametrize(
    "line",
    [
        "docs/mnt/plan",
        "a /workable/ way",
        "http://localhost:8501",
        "127.0.0.1",
        "1.10.0",
        "href='/data/x'",
        "10.5 of 12.25",
    ],
)
def test_a_public_line_is_left_alone(line: str) -> None:
    assert private_places(line) == []


def test_data_folders_are_not_ignored() -> None:
    """A bare `data/` in .gitignore would hide the package's own data layer."""
    names = ["xattn/data/readers.py", "data/movielens-small/ratings.csv", "tests/data/test_readers.py"]
    done = subprocess.run(["git", "check-ignore", "--no-index", *names], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == ""


def test_equations_are_numbered_in_order_each_number_once() -> None:
    page = (ROOT / "docs/model.md").read_text("utf-8")
    numbers = [int(number) for number in re.findall(r"^\((\d+)\)", page, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 30
    named = {int(number) for number in re.findall(r"eq\. (\d+)", page)}
    assert named <= set(numbers)
