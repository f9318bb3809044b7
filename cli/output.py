"""Output of a verb: a page or one JSON document on stdout, progress and errors on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any, Self, TextIO

from lakehouse.formatting import plain, show

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# Without a terminal a table may be as wide as it needs: a narrow page would cut its cells
PIPED_WIDTH = 250

_result_streams: list[TextIO] = []
_showing: list[Progress] = []


@contextmanager
def only_documents(active: bool) -> Iterator[None]:
    """Redirect to stderr what libraries and child processes print; stdout is for `emit` alone."""
    if not active:
        yield
        return
    with _own(sys.stdout) as stream, redirect_stdout(sys.stderr):
        _result_streams.append(stream)
        try:
            yield
        finally:
            _result_streams.pop()


@contextmanager
def _own(stream: TextIO) -> Iterator[TextIO]:
    """Yield a stream to the former stdout; meanwhile descriptor 1 is stderr, also for children."""
    stream.flush()
    copy = os.dup(1)
    os.dup2(2, 1)
    # A stream that does not write to descriptor 1 (a capture in memory) stays as it is
    own = open(copy, "w", encoding="utf-8", closefd=False) if _number(stream) == 1 else stream  # noqa: SIM115 - a descriptor, closed below
    try:
        yield own
    finally:
        own.flush()
        os.dup2(copy, 1)
        os.close(copy)


def _number(stream: TextIO) -> int:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return -1


def stdout() -> TextIO:
    """Return the stream for the result."""
    return _result_streams[-1] if _result_streams else sys.stdout


def emit(value: Any, as_json: bool, page: Callable[[Console, Any], None] | None = None) -> None:
    """Write a verb's result: as one JSON document, or through `page` for a person."""
    if as_json:
        print(
            json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False), file=stdout()
        )
        return
    (page or page_of_anything)(console(), plain(value) if page is None else value)


class Progress:
    """Shows the current step on a terminal, with a bar where a total is given.

    Called as `progress(line)` or `progress(line, done, total)`; silent without a terminal.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        _showing.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.hide()
        _showing.remove(self)

    def __call__(self, line: str, done: int = 0, total: int = 0) -> None:
        """Show the current step."""
        if not sys.stderr.isatty():
            return
        bar = self._bar or self._start()
        bar.update(self._task, description=line, completed=done, total=total or None)

    def _start(self) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("")
        self._bar.start()
        return self._bar

    def hide(self) -> None:
        """Take the line off the screen; the next call shows it again."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def console(quiet: bool = False) -> Console:
    """Return the console for a page; it hides a progress line while it prints."""
    from rich.console import Console

    class Page(Console):
        def print(self, *objects: Any, **options: Any) -> None:
            for progress in _showing:
                progress.hide()
            super().print(*objects, **options)

    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else PIPED_WIDTH
    return Page(file=stdout(), width=width, quiet=quiet, highlight=False, emoji=False)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> RenderableType:
    """Return a table for a page; a column whose name starts with `>` is aligned right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        made.add_column(
            Text(column.removeprefix(">")), justify="right" if right else "left", overflow="fold"
        )
    for row in rows:
        made.add_row(
            *[cell if hasattr(cell, "__rich_console__") else Text(show(cell)) for cell in row]
        )
    return made


def page_of_anything(out: Console, value: Any) -> None:
    """Print a result that has no page of its own: its single values, then its lists as tables."""
    if not isinstance(value, Mapping):
        value = {"": value} if isinstance(value, list) else {"result": value}
    lists = {key: item for key, item in value.items() if _is_rows(item)}
    for key, item in value.items():
        if key not in lists and item not in (None, [], {}):
            out.print(f"{key.replace('_', ' ')}: {show(item)}", markup=False)
    for key, rows in lists.items():
        names = list(dict.fromkeys(name for row in rows for name in row))
        titles = [f">{name}" if _numeric(rows, name) else name for name in names]
        out.print(
            table(key.replace("_", " "), titles, [[row.get(n) for n in names] for row in rows])
        )


def _is_rows(value: Any) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)
    )


def _numeric(rows: list[Mapping[str, Any]], name: str) -> bool:
    return all(isinstance(row.get(name), (int, float, type(None))) for row in rows)
