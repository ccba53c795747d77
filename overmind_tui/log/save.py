"""A whole log, however long, into a file or the person's pager: read page by page, beside what is shown of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import tzinfo
from typing import TYPE_CHECKING

from overmind_core.client.client import Client
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.log_pages import pattern as log_pattern
from overmind_core.log_pages.index import LogScope
from overmind_core.log_pages.line_filter import LineFilter
from overmind_core.log_pages.pattern import Pattern
from overmind_core.log_pages.reader import Reader
from overmind_core.logs.display import Line
from overmind_core.logs.layout import OUT
from overmind_tui.shell import external

if TYPE_CHECKING:
    from overmind_tui.shell.requests import Located
    from overmind_tui.shell.shell import Shell


SLICE = 0.004
"""Seconds of work before a pause of the same length, in which keys are heard."""


def lines(located: Located, look: LogScope, pattern: Pattern | None, *, zone: tzinfo | None = None) -> Iterator[Line]:
    """The lines that match, oldest first, up to what is written by now. Blocks: for a thread.

    Args:
        located: The missions of `look`.
        look: Which part of their logs.
        pattern: What lines match; None: all.
        zone: Of the times in them; None is the machine's.

    Raises:
        OvermindError: nobody knows where the log is, or the pattern takes too long with one of its lines.
        OSError: it can't be read.
    """
    with closing(Client(located.place)) as client:
        described = client.call("logs", {"ids": list(located.ids)})["missions"]
    reader = Reader(described, look, zone=zone, whole_times=True)
    wanted = None if pattern is None else log_pattern.parsed(pattern.text)
    if wanted is None:
        yield from _all(reader)
        return
    with closing(LineFilter(wanted)) as line_filter:
        for page in _pages(reader):
            meant = line_filter.which([text for _, _, text in page])
            if wanted.slow:
                raise OvermindError("timeout", f"/{wanted.text} takes too long on a line of this log")
            yield from (line for line, is_meant in zip(page, meant, strict=True) if is_meant)


def _all(reader: Reader) -> Iterator[Line]:
    for page in _pages(reader):
        yield from page


def _pages(reader: Reader) -> Iterator[list[Line]]:
    """The lines of each page, and then the newest ones."""
    newest = reader.open()
    began = time.monotonic()
    for page in reader.pages([], reader.ends):
        if page is not None:
            yield reader.lines(page)
        if (worked := time.monotonic() - began) > SLICE:
            time.sleep(worked)
            began = time.monotonic()
    yield [*newest, *([(0.0, OUT, reader.partial)] if reader.partial else [])]


_SCRIPT = '"$@" | eval "${PAGER:-less}"'


def show(shell: Shell, look: LogScope) -> None:
    """Give the terminal to the pager until it is closed."""
    words = ["logs", *look.missions]
    if look.run is not None:
        words += ["--run", str(look.run)]
    if look.since is not None:
        words += ["--since", format_time(look.since)]
    environ = {"LESS": "-R", **shell.world.environ, "OVERMIND_HOME": shell.home.root}
    argv = ["sh", "-c", _SCRIPT, "sh", sys.executable, "-P", "-m", "overmind_core.cli", *words]
    external.run(shell, argv, cwd="/", environ=environ, then=lambda code: _on_result(shell, code))


def _on_result(shell: Shell, code: int) -> None:
    if code:
        shell.flash(f"the pager exited with code {code}", "slow")
