"""The reports of a headless run: JUnit, what GitHub Actions reads, events, and a summary.

Their files are opened before anything starts, so that a mistake is reported at once. The JUnit report has one case for
each mission. GitHub Actions reads groups and annotations on stdout, and a step summary.

Sources: the schema that Jenkins' xunit plugin publishes; XML 1.0, 2.2 (which characters may be in a document);
docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import errno
import html
import os
import re
import stat
from contextlib import suppress
from xml.sax.saxutils import escape, quoteattr

from overmind_core.cli.headless.outcome import lasted
from overmind_core.cli.output import dumps, table
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping
    from typing import IO, Any

    from overmind_core.cli.context import Context
    from overmind_core.cli.headless.outcome import Outcome, Result


_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(result: Result) -> str:
    """Return the report as an XML document."""
    failures = sum(1 for one in result.outcomes if result.failure(one))
    errors = 0 if result.outcomes else 1
    began = next((one.started_at for one in result.outcomes if one.started_at), None)
    counts = {
        "tests": len(result.outcomes) or 1,
        "failures": failures,
        "errors": errors,
        "skipped": sum(1 for one in result.outcomes if _skipped(result, one)),
        "time": f"{sum(one.seconds for one in result.outcomes):.3f}",
    }
    stamp = {} if began is None else {"timestamp": began.rstrip("Z")}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        _open("testsuites", name="overmind", **counts),
        _open("testsuite", name=result.name, **counts, **stamp),
        *(line for one in result.outcomes for line in _case(result, one)),
        *([] if result.outcomes else _nothing(result)),
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(result: Result, outcome: Outcome) -> Iterator[str]:
    yield _open("testcase", classname=result.classname, name=outcome.name, time=f"{outcome.seconds:.3f}")
    failure = result.failure(outcome)
    if failure:
        opened = _open("failure", type=result.kind(outcome), message=failure)
        yield f"{opened}{_text(outcome.detail)}</failure>"
    elif outcome.skipped:
        yield f"{_open('skipped', message=outcome.skipped)}</skipped>"
    if outcome.output:
        left_out = f"[{outcome.dropped} characters left out]\n" if outcome.dropped else ""
        yield f"<system-out>{_text(left_out + outcome.output)}</system-out>"
    yield "</testcase>"


def _skipped(result: Result, outcome: Outcome) -> bool:
    return bool(outcome.skipped) and not result.failure(outcome)


def _nothing(result: Result) -> Iterator[str]:
    """The case of a run that could not begin."""
    yield _open("testcase", classname="overmind", name="start", time="0.000")
    yield f"{_open('error', type='error', message=result.trouble)}</error>"
    yield "</testcase>"


def _open(tag: str, **attributes: object) -> str:
    words = (f"{name}={quoteattr(_clean(str(value)))}" for name, value in attributes.items())
    return f"<{tag} {' '.join(words)}>"


def _text(text: str) -> str:
    return escape(_clean(text))


def _clean(text: str) -> str:
    """Leave out what no XML document may hold, not even escaped."""
    return _NO_XML.sub("", text)


END_GROUP = "::endgroup::"
_SHOWN_LINES = 40
"""Of a failed mission's output, in the summary."""


def begin_group(title: str) -> str:
    """Return the line that begins a folded part of the output."""
    return f"::group::{_data(display_safe(title))}"


def error_lines(result: Result) -> list[str]:
    """Return an error for each mission that failed, or for the run when none could."""
    found = [
        f"::error title={_property(display_safe(one.name))}::{_data(display_safe(failure))}"
        for one in result.outcomes
        if (failure := result.failure(one))
    ]
    if not found and result.trouble:
        found.append(f"::error title=overmind::{_data(display_safe(result.trouble))}")
    return found


def step_summary(result: Result) -> str:
    """Return the summary as Markdown."""
    lines = [
        f"### {'❌' if result.exit_status else '✅'} {_cell(result.name)}",
        "",
        *([f"{_cell(result.trouble)}", ""] if result.trouble else []),
    ]
    if result.graph:
        lines += ["```mermaid", result.graph.rstrip("\n"), "```", ""]
    if result.outcomes:
        lines += [f"| {result.noun} | status | exit code | duration | restarts |", "| --- | --- | ---: | ---: | ---: |"]
    for one in result.outcomes:
        status = f"{one.state} ({one.why})" if one.why else one.state
        code = "-" if one.exit_code is None else one.exit_code
        lines.append(f"| {_cell(one.name)} | {_cell(status)} | {code} | {lasted(one.seconds)} | {one.restarts} |")
    for one in result.outcomes:
        if result.failure(one) and one.output:
            last = html.escape("\n".join(one.output.splitlines()[-_SHOWN_LINES:]), quote=False)
            lines += ["", f"<details><summary>Last output of {_cell(one.name)}</summary>", "", f"<pre>{last}</pre>", "",
                      "</details>"]  # fmt: skip
    return "\n".join(lines) + "\n\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    """Text as it is, whatever Markdown would make of it."""
    safe = html.escape(display_safe(text), quote=False)
    return "".join(f"\\{character}" if character in "\\`*_[]|#~" else character for character in safe)


class Reports:
    """Everything that is reported of a run besides its output.

    Args:
        args: which reports are wanted.
        context: where to print.
        command: what is done, such as `run`.

    Raises:
        OvermindError: a file can't be written.
    """

    def __init__(self, args: Namespace, context: Context, command: str) -> None:
        self._context = context
        self._command = command
        self._json: bool = args.json
        self._events = _opened(args.events)
        self._junit = None if args.junit is None else WholeFile(args.junit)
        self._on_github = context.environ.get("GITHUB_ACTIONS") == "true"
        self._summary_path = context.environ.get("GITHUB_STEP_SUMMARY", "") if self._on_github else ""
        self._troubles: list[OvermindError] = []
        self._grouped = False

    def event(self, event: dict[str, Any]) -> None:
        """Write down an event."""
        if self._events is not None:
            self._write(self._events, dumps(event) + "\n")

    def begin(self, name: str) -> None:
        """The output of this mission follows."""
        if self._on_github:
            self._context.print(begin_group(f"overmind {self._command} {name}"))
            self._grouped = True

    def end(self, result: Result, *, mute: bool) -> int:
        """Write the reports of the result; return the exit status, which a lost report changes.

        Args:
            result: what to report.
            mute: nobody reads stdout.
        """
        if self._junit is not None:
            self._write_whole(self._junit, junit(result))
        if self._events is not None:
            self._close(self._events)
        if self._on_github and not mute:
            lines = [*([END_GROUP] if self._grouped else []), *error_lines(result)]
            for line in lines:
                self._context.print(line)
        if self._summary_path:
            self._append_summary(step_summary(result))
        for trouble in self._troubles:
            self._context.note(f"Error: {trouble.code}: {trouble.message}")
        return result.exit_status or (self._troubles[0].exit_status if self._troubles else 0)

    def sum_up(self, result: Result, kept: str | None, worktrees: Mapping[str, str]) -> None:
        """Sum up for a person what became of it.

        Args:
            result: what to report.
            kept: the folder that holds state and logs, when it is still there.
            worktrees: path → branch, where work is left.
        """
        if self._json:
            left = {"worktrees": [{"path": path, "branch": branch} for path, branch in worktrees.items()]}
            self._context.print(dumps(result.as_json() | {"kept": kept} | (left if worktrees else {})))
            return
        if result.is_listed:
            self._context.note(_table(result))
        if result.last_line:
            self._context.note(f"overmind: {result.last_line}")
        for path, branch in worktrees.items():
            self._context.note(f"overmind: work is left in {display_safe(path)} (branch {display_safe(branch)})")
        self.name_kept(kept)

    def name_kept(self, folder: str | None) -> None:
        """Say where to look."""
        if folder is not None:
            self._context.note(f"overmind: state and logs are kept in {display_safe(folder)}")

    def _append_summary(self, text: str) -> None:
        try:
            with open(self._summary_path, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError as error:
            self._troubles.append(_unwritable(self._summary_path, error))

    def _write(self, file: IO[str], text: str) -> None:
        """Write and be sure of it; a file that fails is reported at the end, once."""
        try:
            file.write(text)
            file.flush()
        except OSError as error:
            if not any(str(file.name) in trouble.message for trouble in self._troubles):
                self._troubles.append(_unwritable(str(file.name), error))

    def _write_whole(self, file: WholeFile, text: str) -> None:
        try:
            file.write(text)
        except OSError as error:
            self._troubles.append(_unwritable(file.name, error))

    def _close(self, file: IO[str]) -> None:
        with suppress(OSError):  # reported when it was written
            file.close()


def _table(result: Result) -> str:
    rows = [
        [one.name, one.state, "-" if one.exit_code is None else str(one.exit_code), lasted(one.seconds),
         str(one.restarts), one.why or "-"]
        for one in result.outcomes
    ]  # fmt: skip
    return table(["NAME", "STATUS", "EXIT", "DURATION", "RESTARTS", "REASON"], rows)


class WholeFile:
    """A file that is there whole, or not at all: whoever kills us leaves no part of it, nor one of an earlier run.

    Raises:
        OvermindError: it can't be written.
    """

    def __init__(self, path: str) -> None:
        self.name = os.path.abspath(from_wire(path))
        self._target = os.path.realpath(self.name)
        folder, name = os.path.split(self._target)
        self._draft = os.path.join(folder, f".{name}.{os.getpid()}")
        self._mode = 0o666
        try:
            os.makedirs(folder, exist_ok=True)
            if os.path.lexists(self._target) and not os.path.isfile(self._target):
                self._draft = self._target  # a pipe, a terminal
                with open(self._target, "w", encoding="utf-8"):
                    pass
            else:
                self._try_draft()
        except OSError as error:
            raise _unwritable(self.name, error) from None

    def _try_draft(self) -> None:
        """Find out whether it can be written, with whose permissions; that of an earlier run is no more."""
        with open(self._draft, "w", encoding="utf-8") as file:
            self._mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        os.unlink(self._draft)
        with suppress(FileNotFoundError):
            os.unlink(self._target)

    def write(self, text: str) -> None:
        """Put it there.

        Raises:
            OSError: that failed.
        """
        aside = self._draft != self._target
        try:
            with open(self._draft, "w", encoding="utf-8", errors="backslashreplace") as file:
                if aside:
                    os.fchmod(file.fileno(), self._mode)
                file.write(text)
            if aside:
                os.replace(self._draft, self._target)
        except OSError:
            if aside:
                with suppress(OSError):
                    os.unlink(self._draft)
            raise


def _opened(path: str | None) -> IO[str] | None:
    if path is None:
        return None
    name = os.path.abspath(from_wire(path))
    try:
        os.makedirs(os.path.dirname(name), exist_ok=True)
        return open(name, "w", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise _unwritable(name, error) from None


def _unwritable(path: str, error: OSError) -> OvermindError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    return OvermindError("disk_full" if full else "invalid", f"{path} can't be written: {error.strerror}.")
