"""The command line `lakehouse`: its verbs, and how each of them ends."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from cli.arguments import examples
from cli.output import only_documents
from cli.registry import add_commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# The registry of verbs, each a module of `cli/` with a function `add_to`, in the order of `--help`
COMMANDS = (
    "demo",
    "land",
    "run",
    "status",
    "sql",
    "contracts",
    "quarantine",
    "audit",
    "features",
    "train",
    "score",
    "enrich",
    "report",
    "catalog",
    "rollback",
    "rebuild",
    "maintain",
)
INTERRUPTED = 130
READER_GONE = 141


def command_line(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line of these verbs."""
    app = typer.Typer(
        name="lakehouse",
        help="Carries datasets, each described once by a contract, from a source's change log to a score.",
        rich_markup_mode="rich",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=examples("lakehouse demo", "lakehouse status", 'lakehouse sql "select 1 as one"')
        + "\n\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 contract breach.",
    )
    app.callback()(_options)
    add_commands(app, commands)
    return app


def _print_version(is_given: bool) -> None:
    if is_given:
        from importlib.metadata import version

        print(f"lakehouse {version('medallion-lakehouse')}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


app = command_line()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; every error ends as one message on stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        with only_documents(as_json):
            code = app(given, prog_name="lakehouse", standalone_mode=False) or 0
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader closed the pipe. The interpreter flushes once more at its end: into nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return READER_GONE
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - every error ends here
        if os.environ.get("LAKEHOUSE_DEBUG") == "1":
            import traceback

            traceback.print_exc()
        return _print_error(error, as_json)
    if code == INTERRUPTED:
        _print("interrupted", INTERRUPTED, as_json)
    return code


def _print_error(error: Exception, as_json: bool) -> int:
    """Print an error as text, or as JSON; return its exit code."""
    code = getattr(error, "exit_code", 1)
    # Its message is the help, which is printed already
    if type(error).__name__ == "NoArgsIsHelpError":
        return 2
    if isinstance(error, TyperException):
        context = getattr(error, "ctx", None)
        hint = f"\nSee `{context.command_path} --help`." if context else ""
        _print(error.format_message() + hint, code, as_json)
    elif hasattr(error, "exit_code"):
        _print(str(error), code, as_json)
    else:
        message = f"{type(error).__name__}: {error}".strip()
        _print(f"{message}\nLAKEHOUSE_DEBUG=1 prints the traceback.", code, as_json)
    return code


def _print(message: str, code: int, as_json: bool) -> None:
    if as_json:
        print(
            json.dumps({"error": message, "exit_code": code}, ensure_ascii=False), file=sys.stderr
        )
    else:
        print(f"lakehouse: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
