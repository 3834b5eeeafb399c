"""The program as a process: quick to start, quiet when its reader leaves, one line when it is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

XATTN = [sys.executable, "-m", "xattn"]
ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, **more}


def xattn(*args: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*XATTN, *args], cwd=cwd, env=environment(**more), capture_output=True, text=True, encoding="utf-8", timeout=120
    )


def loaded(*args: str) -> set[str]:
    """The heavy packages that a command imports."""
    code = (
        "import sys\nfrom xattn.cli import main\n"
        f"try: main({list(args)!r})\nexcept SystemExit: pass\n"
        "heavy = {'altair', 'numba', 'pandas', 'pyarrow', 'rich', 'scipy', 'sklearn', 'streamlit'}\n"
        "print(*sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_loads_nothing_heavy() -> None:
    assert loaded("--help") == set()
    assert loaded("recommend", "--help") == set()
    assert not loaded("example", "--json") & {"altair", "pandas", "pyarrow", "sklearn", "streamlit"}


def test_wrong_input_from_a_shell(folder: Path) -> None:
    done = xattn("recommend", "--ratings", "missing.csv", "--user", "1", cwd=folder)
    want = "Error: 'missing.csv': it must be a file that exists and can be read; got no file of this name.\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", want)


def test_works_from_a_foreign_folder_without_colour_or_warnings(tmp_path: Path) -> None:
    done = xattn("recommend", "--data", "movielens-small", "--user", "1", "--model", "Popularity", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 12
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="no pipes that break here")
def test_a_reader_that_leaves_is_no_error(folder: Path) -> None:
    for json in ([], ["--json"]):
        command = [*XATTN, "explain", "--model", "model.npz", "--user", "u3", "--item", "i13", *json]
        with subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            running.stdout.close()
            assert running.stderr.read() == b""
        assert running.returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
def test_a_full_disk_is_said_in_one_line(folder: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*XATTN, "example", "--json"], env=environment(), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr == "Error: the output must be there and open to this user; got 'No space left on device'.\n"


@pytest.mark.skipif(os.name != "posix", reason="output is closed otherwise here")
def test_closed_output_is_said_in_one_line_before_any_work(tmp_path: Path) -> None:
    shell = ["sh", "-c", 'exec "$0" "$@" >&-', *XATTN, "fit", "--data", "movielens-small", "--out", "m.npz"]
    done = subprocess.run(shell, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "Error: the output must be there and open to this user; got 'Bad file descriptor'.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="output is closed otherwise here")
def test_closed_errors_keep_nothing_from_the_output() -> None:
    shell = ["sh", "-c", 'exec "$0" "$@" 2>&-', *XATTN, "example", "--json"]
    done = subprocess.run(shell, env=environment(), stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout[:1]) == (0, "{")


@pytest.mark.parametrize(("name", "said"), [("XATTN_NUM_THREADS", "abc"), ("NUMBA_NUM_THREADS", "0")])
def test_a_wrong_number_of_threads_is_said_in_one_line(name: str, said: str, tmp_path: Path) -> None:
    sentence = f"`{name}` in the environment must be a whole number >= 1, or not set; got '{said}'."
    done = xattn("example", cwd=tmp_path, **{name: said})
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"Error: {sentence}\n")
    code = "import warnings, xattn\nwarnings.simplefilter('error')\nxattn.softmax"
    done = subprocess.run([sys.executable, "-c", code], env=environment(**{name: said}), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"xattn.errors.InputError: {sentence}"


def assert_one_line_when_interrupted(code: str, asked: list[str], where: Path) -> None:
    """Run `code` in the folder `where` and send Ctrl-C once it says that it is at work."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *asked],
        cwd=where,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    ) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == "at work\n"
        running.send_signal(signal.SIGINT)
        err = running.stderr.read()
    assert (running.returncode, err) == (130, "\nError: interrupted.\n")  # the first line ends the ^C of the terminal


@pytest.mark.skipif(os.name != "posix", reason="interrupts are sent otherwise here")
def test_an_interrupt_is_one_line_and_leaves_no_file(folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom xattn import Popularity\nfrom xattn.cli import main\n"
        "def fit(self, data, progress=None): print('at work', file=sys.stderr, flush=True); time.sleep(60)\n"
        "Popularity.fit = fit\nmain(sys.argv[1:])"
    )
    asked = ["fit", "--ratings", str(folder / "ratings.csv"), "--model", "popularity", "--out", "model.npz"]
    assert_one_line_when_interrupted(code, asked, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="interrupts are sent otherwise here")
def test_an_interrupted_explanation_leaves_its_files_as_they_were(folder: Path, tmp_path: Path) -> None:
    """Ctrl-C while the files are being written: none is half there, and what stood there stays."""
    code = (
        "import os, sys, time\nfrom xattn.cli import main\n"
        "def slow(handle): print('at work', file=sys.stderr, flush=True); time.sleep(60)\n"
        "os.fsync = slow\nmain(sys.argv[1:])"
    )
    (tmp_path / "why.html").write_text("what stood here", "utf-8")
    asked = ["explain", "--model", str(folder / "model.npz"), "--user", "u3", "--item", "i36", "--html", "why.html"]
    assert_one_line_when_interrupted(code, asked, tmp_path)
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == {"why.html": "what stood here"}
