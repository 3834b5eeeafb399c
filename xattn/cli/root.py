"""The group of all commands. Here alone an error becomes a line on stderr and an exit code.

0    done
1    `doctor` misses something needed; the reader of a pipe went away; memory ran out; or a bug, with its traceback
2    wrong input: one line "Error: what must hold; what was got."
130  interrupted (Ctrl-C)
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from xattn.cli.screen import error, tell_notes
from xattn.errors import XattnError, check_environment, shown

__all__ = ["OneLine", "main"]

WRONG_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells count


class OneLine(click.Group):
    """A group that reports every error of the user in one line, without usage text or traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run and leave by SystemExit with the exit code; with ``standalone_mode=False`` errors pass through."""
        if standalone_mode:
            try:
                tell_notes(False)
                check_environment()
                _check_output()
                code = super().main(
                    args, prog_name, complete_var, False, windows_expand_args=windows_expand_args, **extra
                )
                tell_notes(True)
            except (click.ClickException, XattnError, OSError, MemoryError, click.Abort) as problem:
                code = _report(problem)
            sys.exit(code if isinstance(code, int) else 0)
        return super().main(args, prog_name, complete_var, False, windows_expand_args=windows_expand_args, **extra)


def _check_output() -> None:
    """Raise OSError where stdout is closed (``>&-``): no command works for an answer that nobody can get."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _report(problem: BaseException) -> int:
    """Write the problem on one line of stderr, and return its exit code."""
    if isinstance(problem, click.Abort):
        error("interrupted.")
        return INTERRUPTED
    if isinstance(problem, MemoryError):
        error("the data and the model must fit into memory; got more than this machine gives.")
        return 1
    if isinstance(problem, click.ClickException):
        error(problem.format_message())
    elif isinstance(problem, OSError):
        what = "the output" if problem.filename is None else shown(str(problem.filename))
        error(f"{what} must be there and open to this user; got {shown(problem.strerror or type(problem).__name__)}.")
    else:
        error(str(problem))
    return WRONG_INPUT


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        import xattn

        click.echo(f"xattn {xattn.__version__}")
        context.exit()


@click.group(cls=OneLine, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
@click.pass_context
def main(context: click.Context) -> None:
    """A recommender whose explanations add up: every score is a ledger of events, heads and features."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
