"""The start of missions that may be isolated, from the request until they run: `run` and `quest run`.

An isolated mission is prepared first: its events are followed, and what is being done is shown.
"""

from __future__ import annotations

from overmind_core.cli.isolation.trust import call_trusted
from overmind_core.cli.output import dumps
from overmind_core.cli.progress import progress_of
from overmind_core.client.stream import follow
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context
    from overmind_core.cli.progress import Progress
    from overmind_core.client.client import Client

    Json = Mapping[str, Any]


PREPARING = "preparing"
"""Status in an answer that comes before the mission runs."""


def start_mission(
    args: Namespace,
    context: Context,
    command: str,
    request: Mapping[str, Any],
    *,
    message: Callable[[Mapping[str, Any]], str],
) -> Mapping[str, Any] | None:
    """Send the request, see an isolated mission through its preparation, and say that it runs.

    Args:
        args: Of the command line: `json` and `wait`.
        context: Where to print.
        command: Its name on the socket.
        request: Its arguments.
        message: What people read of the answer.

    Returns:
        The answer; None when the person had enough of waiting.

    Raises:
        OvermindError: nothing was started, or it could not be prepared.
    """
    mission: Mapping[str, Any] = call_trusted(context, context.client(start=True), command, request)
    if note := mission.get("note"):
        context.note(display_safe(str(note)))
    if args.json:
        context.print(dumps({"id": mission["id"], "name": mission["name"]}))
    isolated = mission.get("status") == PREPARING
    if isolated and not wait_prepared(context, mission):
        return None
    if not args.json:
        write = context.note if args.wait else context.print
        write(message(mission))
    if isolated:
        _print_worktree(context, mission["id"])
    return mission


def wait_prepared(context: Context, mission: Mapping[str, Any]) -> bool:
    """Show what is done until the mission runs; False when the person had enough of that.

    Raises:
        OvermindError: it could not be prepared, or was ended before.
    """
    try:
        follow_preparation(context, mission)
    except KeyboardInterrupt:
        name = mission["name"]
        context.note(f"\nMission {mission['id']} is still being prepared. Follow it with: overmind logs -f {name}")
        return False
    return True


def _print_worktree(context: Context, mission: str) -> None:
    isolation = context.client().call("info", {"id": mission}).get("isolation") or {}
    if isolation.get("worktree"):
        context.note(display_safe(f"Worktree {isolation['worktree']} (branch {isolation['branch']})"))


BEAT = 1.0
"""Seconds after which the time that is shown is old."""
_FINAL = frozenset({"stopped", "crashed", "killed"})
_ENDS = {"stopped": "stopped", "crashed": "crashed", "killed": "killed", "hidden": "killed", "removed": "removed"}
"""Event → what has happened to the mission."""
_SET_UP_FAILED, _SET_UP_NOTE = "setup_failed", "set_up_failed"
"""As a reason, and as an event: a policy may have tried it again."""
_FAILURES = frozenset({"spawn_failed", _SET_UP_NOTE})
"""Events, and notes of the log: it was not started."""
_TRIES = _FAILURES | {"preparing", "restart"}
"""Notes of the log about a start: the last of them tells how the newest one stands."""
_SET_UP = "The project's set-up failed."
_BEFORE, _BEHIND = "--- could not start: ", " ---"
"""Around the sentence in the log's line."""


def follow_preparation(context: Context, mission: Json) -> None:
    """Show each step until the mission runs.

    Args:
        context: Where to print.
        mission: `id` and `name`.

    Raises:
        OvermindError: it could not be prepared; `exited`, it was ended before.
    """
    client = context.client()
    preparation = PreparationFollower(mission)
    shown = progress_of(f"Preparing {mission['name']}", context.environ)
    try:
        preparation.catch_up(client)
        if not preparation.over:
            _watch(client, preparation, shown)
    finally:
        shown.close()
    preparation.check()


def _watch(client: Client, preparation: PreparationFollower, shown: Progress) -> None:
    shown.step(preparation.step)
    for kind, item in follow(client, preparation.request, beat=BEAT):
        if kind == "item" and preparation.apply(item):
            shown.step(preparation.step)
        shown.tick()
        if preparation.over:
            return


class PreparationFollower:
    """One mission's preparation, followed over its events."""

    def __init__(self, mission: Json) -> None:
        self._id = mission["id"]
        self._name = mission["name"]
        self._seq = 0
        self._failure: str | None = None
        self._code: str | None = None
        self._end = ""
        self.step = ""
        """What is going on; "" when that is not known."""
        self.runs = False

    @property
    def over(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.runs or bool(self._end)

    def catch_up(self, client: Client) -> None:
        """Learn what has happened until now."""
        head = client.call("logs", {"ids": [self._id]})
        self._seq = head["seq"]
        self._failure = _newest_failure(head["missions"][0]["annotations"])
        facts = client.call("info", {"id": self._id})
        self.step = (facts.get("isolation") or {}).get("step") or ""
        if facts["status"] in _FINAL:
            if self._failure is None:  # it may have ended between the two answers
                self._failure = _newest_failure(client.call("logs", {"ids": [self._id]})["missions"][0]["annotations"])
            self._code = facts["reason"]
            ran = facts["exit_code"] is not None and self._code != _SET_UP_FAILED and self._failure is None
            self.runs, self._end = ran, facts["status"]  # it did, and has ended since; or it never will
        elif facts["status"] == "restarting":
            self.runs = self._failure is None  # else it is about to be prepared once more
        elif facts["status"] not in {"preparing", "starting", "stopping"}:
            self.runs = True

    def request(self) -> tuple[str, dict[str, Any]]:
        """Return the request for what happens from now on."""
        return "events", {"since": self._seq, "follow": True}

    def apply(self, event: Json) -> bool:
        """Apply an event; False when it is about something else."""
        self._seq = event["seq"]
        if event.get("mission") != self._id:
            return False
        kind = event["type"]
        if kind == "preparing":
            self.step = event.get("step") or ""
        elif kind == "started":
            self.runs = True
        elif kind in _FAILURES:
            self._failure = _failure_of(kind, event.get("text", ""))
        elif kind in _ENDS:
            self._end = _ENDS[kind]
            self._code = event.get("reason")
        return True

    def check(self) -> None:
        """Raise why it does not run, where it does not.

        Raises:
            OvermindError: it could not be prepared; `exited`, it was ended before.
        """
        if self.runs:
            return
        failure = _SET_UP if self._code == _SET_UP_FAILED else self._failure
        if failure is None or self._end != "crashed":  # a step that was broken off for that is no reason
            raise OvermindError("exited", f"Mission {self._id} ({self._name}) was {self._end} before it ran.")
        failure = f"{failure.removesuffix('.')}."
        # A service that is the reason is named with its own log, which says more than that of the mission.
        logs = "" if "See: overmind logs " in failure else f" See its log: overmind logs {self._name}."
        raise OvermindError(
            self._code or "exited", f"{failure}{logs} Check the set-up: overmind isolate --check", id=self._id
        )


def _newest_failure(notes: Sequence[Json]) -> str | None:
    """Return why the mission was not started, by the notes of its log; None: it was, or is about to be."""
    newest = next((note for note in reversed(notes) if note["kind"] in _TRIES), None)
    if newest is None or newest["kind"] not in _FAILURES:
        return None
    return _failure_of(newest["kind"], newest["text"])


def _failure_of(kind: str, text: str) -> str:
    """Return the sentence for a person."""
    return _SET_UP if kind == _SET_UP_NOTE else text.removeprefix(_BEFORE).removesuffix(_BEHIND)
