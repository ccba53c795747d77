"""The reports of a headless run; their files are opened before anything starts, so that a mistake is told at once."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from overmind_core.cli.headless import github
from overmind_core.cli.headless.junit import junit
from overmind_core.cli.headless.outcome import lasted
from overmind_core.cli.output import dumps, table
from overmind_core.domain.cells import display_safe
from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import from_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import IO, Any

    from overmind_core.cli.context import Context
    from overmind_core.cli.headless.outcome import Result


class Reports:
    """Everything that is told of a run besides its output.

    Args:
        args: which reports are wanted.
        context: where to tell.
        command: what is done, such as `run`.

    Raises:
        OvermindError: a file can't be written.
    """

    def __init__(self, args: Namespace, context: Context, command: str) -> None:
        self._context = context
        self._command = command
        self._json: bool = args.json
        self._events = _opened(args.events)
        self._junit = _opened(args.junit)
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
            self._context.say(github.begin_group(f"overmind {self._command} {name}"))
            self._grouped = True

    def end(self, result: Result, *, mute: bool) -> int:
        """Write the reports of the result; return the exit status, which a lost report changes.

        Args:
            result: what to tell.
            mute: nobody reads stdout.
        """
        if self._junit is not None:
            self._write(self._junit, junit(result))
        for file in (self._events, self._junit):
            if file is not None:
                self._close(file)
        if self._on_github and not mute:
            lines = [*([github.END_GROUP] if self._grouped else []), *github.error_lines(result)]
            for line in lines:
                self._context.say(line)
        if self._summary_path:
            self._append_summary(github.step_summary(result))
        for trouble in self._troubles:
            self._context.note(f"Error: {trouble.code}: {trouble.message}")
        return result.exit_status or (self._troubles[0].exit_status if self._troubles else 0)

    def sum_up(self, result: Result, kept: str | None, worktrees: Mapping[str, str]) -> None:
        """Tell a person what became of it.

        Args:
            result: what to tell.
            kept: the folder that holds state and logs, when it is still there.
            worktrees: path → branch, where work is left.
        """
        if self._json:
            left = {"worktrees": [{"path": path, "branch": branch} for path, branch in worktrees.items()]}
            self._context.note(dumps(result.as_json() | {"kept": kept} | (left if worktrees else {})))
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
        """Write and be sure of it; a file that fails is told of at the end, once."""
        try:
            file.write(text)
            file.flush()
        except OSError as error:
            if not any(str(file.name) in trouble.message for trouble in self._troubles):
                self._troubles.append(_unwritable(str(file.name), error))

    def _close(self, file: IO[str]) -> None:
        with suppress(OSError):  # told of when it was written
            file.close()


def _table(result: Result) -> str:
    rows = [
        [one.name, one.status, "-" if one.exit_code is None else str(one.exit_code), lasted(one.seconds),
         str(one.restarts), one.reason or "-"]
        for one in result.outcomes
    ]  # fmt: skip
    return table(["NAME", "STATUS", "EXIT", "DURATION", "RESTARTS", "REASON"], rows)


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
