"""Commands about state.db, the home's own books: state, state recover. Neither needs a daemon."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

from overmind_core.cli.command import JSON, YES, Command, flag
from overmind_core.cli.context import Context, confirmed_removal
from overmind_core.cli.output import dumps, size
from overmind_core.client.client import Client
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, OvermindError
from overmind_core.system.lock import holder_pid, wait_lock

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.daemon.state_recovery import Report
    from overmind_core.system.paths import Home


RECOVER = "overmind state recover"
"""What mends a damaged state."""
SHOWN = 20
"""Names in a line; --json has all."""
_LEAVE_SECONDS = 10.0
"""How long a daemon may take to leave its missions to the keeper."""


def state(args: Namespace, context: Context) -> int:
    """Print whether the state is whole, and which copies of it there are; exit status 1 when it is damaged."""
    facts = state_facts(context.home)
    context.print(dumps(facts) if args.json else _text(_state_lines(facts)))
    return FAILED if facts["trouble"] else 0


def state_facts(home: Home) -> dict[str, Any]:
    """Return how the state is: JSON-able, `trouble` is null where it is whole."""
    from overmind_core.daemon.state_check import trouble
    from overmind_core.daemon.state_copies import copies

    found = trouble(home, is_open=holder_pid(home.supervisor_lock) is not None, thorough=True)
    return {
        "path": home.database,
        "bytes": _bytes(home.database),
        "trouble": found or None,
        "copies": [
            {"day": one.day, "path": one.path, "bytes": one.bytes, "made_at": one.made_at}
            for one in copies(home.copies)
        ],
        "damaged": sorted(
            os.path.join(home.root, name)
            for name in (os.listdir(home.root) if os.path.isdir(home.root) else ())
            if name.startswith(f"{os.path.basename(home.database)}.damaged-") and not name.endswith(("-wal", "-shm"))
        ),
    }


def _bytes(path: str) -> int | None:
    """Bytes of the file and of its log, which has the newest changes; None: there is no file."""
    if not os.path.exists(path):
        return None
    log = f"{path}-wal"
    return sum(os.stat(one).st_size for one in (path, log) if os.path.exists(one))


def _state_lines(facts: Mapping[str, Any]) -> list[str]:
    if facts["trouble"]:
        lines = [f"{facts['path']} {facts['trouble']}. Recover it with: {RECOVER}"]
    elif facts["bytes"] is None:
        lines = [f"{facts['path']} does not exist yet"]
    else:
        lines = [f"{facts['path']} is whole, {size(facts['bytes'])}"]
    lines += [f"Copy of {one['day']}: {one['path']}, {size(one['bytes'])}" for one in facts["copies"]]
    if not facts["copies"]:
        lines.append("No copies yet: one is made each day on which something has changed")
    return [*lines, *(f"Damaged, set aside: {path}" for path in facts["damaged"])]


def recover(args: Namespace, context: Context) -> int:
    """Take over what can be read of a damaged state, and start a daemon with it."""
    from overmind_core.daemon.state_check import prepare, trouble
    from overmind_core.daemon.state_recovery import is_needed

    home = context.home
    if context.environ.get("OVERMIND_MISSION_ID"):
        raise OvermindError("forbidden", "A process inside a mission may not recover the state.")
    is_open = holder_pid(home.supervisor_lock) is not None
    if is_open and not args.empty and not trouble(home, is_open=True, thorough=True):
        return _nothing_to_do(args, context)
    if (is_open or args.empty) and not _is_wanted(args):
        return FAILED
    if is_open:
        _shut_down(context)
    with _locked(home):
        prepare(home)
        if not args.empty and not trouble(home) and not is_needed(home):
            return _nothing_to_do(args, context)
        if not (is_open or args.empty or _is_wanted(args)):
            return FAILED
        answer, lines = _emptied(home) if args.empty else _recovered(home, _folder())
    context.print(dumps(answer) if args.json else _text(lines))
    pid = Client(home, start=True, say_search=context.say_search).connect()["pid"]
    if not args.json:
        context.print(f"Daemon started (PID {pid})")
    return 0 if answer["recovered"] else FAILED


def _shut_down(context: Context) -> None:
    """End the daemon that is in. One that was just killed holds its lock until the last of its threads is gone."""
    from overmind_core.cli.daemon import GONE

    try:
        context.client().call("shutdown", {"keep": True})
    except OvermindError as error:
        if error.code not in GONE:
            raise


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    """Keep every daemon of the home out.

    Raises:
        OvermindError: `busy`, one is in.
    """
    if not os.path.isdir(home.root):
        yield
        return
    lock = wait_lock(home.supervisor_lock, _LEAVE_SECONDS)
    if lock is None:
        raise OvermindError("busy", f"PID {holder_pid(home.supervisor_lock)} holds {home.supervisor_lock}. Try again.")
    try:
        yield
    finally:
        lock.release()


def _is_wanted(args: Namespace) -> bool:
    """Whether a new file is to take the place of the state: a person is asked, a script says -y."""
    what = "Begin with an empty state?" if args.empty else "Recover what can be read of the state?"
    return confirmed_removal(f"{what} The old file is kept beside it.", yes=args.yes)


def _folder() -> str | None:
    """Where the person is; None: that folder was removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def _text(lines: Sequence[str]) -> str:
    return "\n".join(map(display_safe, lines))


def _nothing_to_do(args: Namespace, context: Context) -> int:
    context.print(dumps({"recovered": False}) if args.json else "The state is whole: there is nothing to recover")
    return 0


def _emptied(home: Home) -> tuple[dict[str, Any], list[str]]:
    from overmind_core.daemon.state_recovery import begin_anew

    with _explained(home):
        damaged = begin_anew(home, time.time())
    kept = f"; the old one is {damaged}" if damaged else ""
    return {"recovered": True, "empty": True, "damaged": damaged}, [f"The state is empty{kept}"]


def _recovered(home: Home, folder: str | None) -> tuple[dict[str, Any], list[str]]:
    from overmind_core.daemon.state_recovery import recover as recover_state
    from overmind_core.domain.missions.facts import Now

    held = _held(home)
    with _explained(home):
        report = recover_state(home, held, Now(time.time(), time.monotonic()), folder)
    answer = {
        "recovered": not report.is_empty,
        "empty": report.is_empty,
        "damaged": report.damaged,
        "copy": report.copy,
        "unread_copies": report.unread_copies,
        "tables": [one._asdict() for one in report.tables],
        "unrecorded": report.unrecorded,
        "queue_paused": report.queue_paused,
    }
    return answer, empty_lines(report, home.database) if report.is_empty else report_lines(report)


def _held(home: Home) -> dict[str, int]:
    """Mission → the newest run of it that lives, as the keeper says."""
    if holder_pid(home.keeper_lock) is None:
        return {}
    from overmind_core.client.keeper import BareKeeper

    keeper = BareKeeper(home, kill_after=None)
    try:
        runs = [run.rpartition(".") for run in keeper.live()]
    finally:
        keeper.leave()
    found: dict[str, int] = {}
    for mission, _, number in runs:
        found[mission] = max(int(number), found.get(mission, 0))
    return found


def report_lines(report: Report) -> list[str]:
    """Return what came back, and what did not, a line for each table of which there is something to say."""
    kept = f"; the damaged file is {report.damaged}" if report.damaged else ""
    lines = [f"The state was recovered{kept}"]
    if report.copy is None and any(one.lost or not one.is_whole for one in report.tables):
        lines.append(f"{_no_copy(report)} to fill in what is missing")
    for table in report.tables:
        parts = [f"{table.recovered} recovered"] if table.recovered else []
        if table.from_copy:
            parts.append(f"{len(table.from_copy)} from the copy of {report.copy}{_names(table.from_copy)}")
        if table.from_disk:
            parts.append(f"{len(table.from_disk)} from worktrees and branches on disk{_names(table.from_disk)}")
        if table.lost:
            parts.append(f"{len(table.lost)} lost{_names(table.lost)}")
        if not table.is_whole and table.recovered:
            parts.append("there may have been more")
        if parts:
            lines.append(f"  {table.table.replace('_', ' ')}: {', '.join(parts)}")
    if report.unrecorded:
        lines.append(f"Lost but for logs, files or a process that lives on: {_missions(report.unrecorded)}")
    if report.queue_paused:
        lines.append(
            f"The queue is paused: quests are as on {report.copy}, and may have run since. "
            "Look at them with overmind queue, then go on with: overmind queue resume"
        )
    return lines


def empty_lines(report: Report, path: str) -> list[str]:
    """Return that nothing came back, what tells of what was there, and the way back."""
    lines = [f"Nothing could be read from {path}: the state is empty now"]
    if report.damaged:
        lines.append(f"The damaged file is kept: {report.damaged}")
    lines.append(_no_copy(report) if report.copy is None else f"The copy of {report.copy} has nothing either")
    lines.append("Missions, quests, questions, rituals and specs are lost; nobody knows how many")
    if report.unrecorded:
        lines.append(f"Logs, files or processes are left of {_missions(report.unrecorded)}")
    for table in report.tables:
        if table.from_disk:
            names = f"{len(table.from_disk)}{_names(table.from_disk)}"
            lines.append(f"Worktrees on disk that are known again: {names}. See: overmind worktrees")
    lines.append("With a backup of yours: overmind shutdown, put it in the place of that file, then: overmind start")
    return lines


def _no_copy(report: Report) -> str:
    """Say that no copy has helped: there is none, or none that can be read."""
    days = report.unread_copies
    return f"No copy could be read (of {', '.join(days)})" if days else "There was no copy"


def _missions(ids: Sequence[str]) -> str:
    return f"{'1 mission' if len(ids) == 1 else f'{len(ids)} missions'}{_names(ids)}"


def _names(names: Sequence[str]) -> str:
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f" ({', '.join(names[:SHOWN])}{more})"


class _explained:  # noqa: N801 - a block
    """Says that a new file could not be written, instead of the store's and the system's errors.

    Raises:
        OvermindError: in their place.
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import errno

        from overmind_core.kernel.database import DiskFull, StoreError

        full = isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno == errno.ENOSPC)
        if isinstance(error, (StoreError, OSError)):
            what = f"Nothing was changed: no new {self._home.database} can be written"
            raise OvermindError("disk_full" if full else "internal", f"{what} ({error}).") from error


STATE = Command(name="state", options=[JSON], examples=["overmind state", "overmind state --json"], run=state)
RECOVER_STATE = Command(
    name="state recover",
    options=[flag("--empty", "begin with an empty state; the old file is set aside"), YES, JSON],
    examples=["overmind state recover", "overmind state recover -y --json", "overmind state recover --empty -y"],
    notes=(
        "The rows of a damaged state.db that can be read are taken over, and its newest copy has the others. Missions "
        "that run go on meanwhile. The damaged file is kept. Records of worktrees that are lost are made again of what "
        "stands on disk. Exit code 1: nothing could be read, and the state is empty. Without a terminal, -y is needed."
    ),
    run=recover,
)
COMMANDS = (STATE, RECOVER_STATE)
