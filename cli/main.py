"""The command line `lakehouse`: its verbs, and how each of them ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from cli import (
    audit,
    catalog,
    contracts,
    demo,
    features,
    land,
    maintain,
    models,
    quarantine,
    rebuild,
    report,
    rollback,
    run,
    sql,
    status,
)
from cli.arguments import examples
from cli.output import only_documents

# In the order of `--help`. Each is a file with a function `add_to(app)`.
COMMANDS = (
    demo, land, run, status, sql, contracts, quarantine, audit, features, models, report, catalog,
    rollback, rebuild, maintain,
)  # fmt: skip
INTERRUPTED = 130
READER_GONE = 141

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
for command in COMMANDS:
    command.add_to(app)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"lakehouse {version('medallion-lakehouse')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; every error ends as one message on stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        with only_documents(as_json):
            code = app(given, prog_name="lakehouse", standalone_mode=False) or 0
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has enough. The interpreter flushes once more at its end: into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return READER_GONE
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last stop of every error
        if os.environ.get("LAKEHOUSE_DEBUG") == "1":
            import traceback

            traceback.print_exc()
        return _say(error, as_json)
    if code == INTERRUPTED:
        _print("interrupted", INTERRUPTED, as_json)
    return code


def _say(error: Exception, as_json: bool) -> int:
    """Print an error for a person, or as JSON; return the exit code it means."""
    code = getattr(error, "exit_code", 1)
    # Its message is the help, which stands on the screen already.
    if type(error).__name__ == "NoArgsIsHelpError":
        return 2
    if isinstance(error, TyperException):
        context = getattr(error, "ctx", None)
        hint = f"\nSee `{context.command_path} --help`." if context else ""
        _print(error.format_message() + hint, code, as_json)
    elif hasattr(error, "exit_code"):
        _print(str(error), code, as_json)
    else:
        what = f"{type(error).__name__}: {error}".strip()
        _print(f"{what}\nLAKEHOUSE_DEBUG=1 shows where.", code, as_json)
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
