"""Arguments that verbs share: the settings, a domain, `--json`, and the examples of their help."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.parsing.domains import domains

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def read_settings() -> Settings:
    """Return the process's settings; raise UsageError with every variable that is wrong."""
    from pydantic import ValidationError

    from lakehouse.errors import UsageError
    from lakehouse.settings import settings

    try:
        return settings()
    except ValidationError as error:
        wrong = [
            f"LAKEHOUSE_{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise UsageError("\n".join(wrong)) from None


def _existing_domain(name: str) -> str:
    if not name:
        return name
    from lakehouse.errors import UsageError

    names = domains(read_settings().contracts)
    if name not in names:
        raise UsageError(f"no domain '{name}'; there is: {', '.join(names) or 'none'}")
    return name


def _complete(incomplete: str) -> list[str]:
    names = domains(read_settings().contracts)
    return [name for name in names if name.startswith(incomplete)]


Domain = Annotated[
    str,
    typer.Argument(
        metavar="DOMAIN",
        help="A domain: the name of a folder of contracts.",
        callback=_existing_domain,
        autocompletion=_complete,
        show_default=False,
    ),
]
AnyDomain = Annotated[
    str,
    typer.Argument(
        metavar="[DOMAIN]",
        help="One domain; all of them when omitted.",
        callback=_existing_domain,
        autocompletion=_complete,
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]


def examples(*lines: str) -> str:
    """Return the end of a verb's help: its examples, one a line.

    `{domain}` and `{dataset}` become the first that there are, so that an example can be run.
    """
    domain, dataset = _first_names()
    shown = [line.format(domain=domain, dataset=dataset) for line in lines]
    return "\n".join(["[bold]Examples[/bold]", *[f"  [cyan]$ {line}[/cyan]" for line in shown]])


@lru_cache(maxsize=1)
def _first_names() -> tuple[str, str]:
    # Without the settings: reading them would slow down every `--help`
    own = Path(__file__).resolve().parent.parent / "contracts"
    folder = Path(os.environ.get("LAKEHOUSE_CONTRACTS") or own)
    for domain in domains(folder):
        return domain, min((folder / domain).glob("*.yaml")).stem
    return "DOMAIN", "DATASET"
