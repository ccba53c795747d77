"""`quest wait` and `wait` for what the swarm has: until each post has ended, wherever it runs."""

from __future__ import annotations

import time

from overmind_core.cli.output import dumps
from overmind_core.cli.swarm.commands import is_in_swarm, swarm_client
from overmind_core.cli.values import timeout_seconds, timeout_words
from overmind_core.cli.waiting import LOOK_SECONDS, PAUSE, questions_about
from overmind_core.domain.hives import SWARM
from overmind_core.domain.missions.reasons import ended_words
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, INTERRUPTED, NEEDS_PERSON, OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context

    Row = Mapping[str, Any]

_OUTCOMES = {"done": "succeeded", "failed": "failed", "cancelled": "stopped"}
"""State of a post that has ended → the outcome, as people read it."""
_PASSES = frozenset({"swarm_silent", "daemon_lost", "busy"})
"""Errors after which it is asked again: the post goes on meanwhile."""


def wait_there(args: Namespace, context: Context) -> int:
    """Print a line as each ends; return the first exit status that isn't 0, in the order of the arguments."""
    waiter = _PostWaiter(context, args.ids)
    try:
        return _waited(args, context, waiter)
    except KeyboardInterrupt:
        left = waiter.pending
        them, word = ("it", "is") if len(left) == 1 else ("them", "are")
        wait = "quest wait" if hasattr(args, "keep_waiting") else "wait"
        again = f"overmind {wait} {' '.join(f'{SWARM}/{one}' for one in left)}"
        said = display_safe(f"{', '.join(left)} {word} not waited for any longer. Wait for {them} again with: {again}")
        context.note(f"\n{said}")
        return INTERRUPTED


def _waited(args: Namespace, context: Context, waiter: _PostWaiter) -> int:
    deadline = None if args.timeout is None else time.monotonic() + timeout_seconds(args.timeout)
    while not waiter.is_done(any_one=args.any):
        for end in waiter.look():
            context.print(dumps(end) if args.json else _end_line(end))
        if waiter.is_done(any_one=args.any):
            break
        if waiter.is_hopeless and not getattr(args, "keep_waiting", True):  # `wait` has no such option
            return NEEDS_PERSON
        if deadline is not None and time.monotonic() >= deadline:
            left = ", ".join(waiter.pending)
            raise OvermindError("timeout", f"Not ended within {timeout_words(args.timeout)}: {left}.")
        pause = LOOK_SECONDS if waiter.said_something else PAUSE
        time.sleep(pause if deadline is None else max(0.0, min(pause, deadline - time.monotonic())))
    return waiter.status


def wait_there_instead(args: Namespace, context: Context, error: OvermindError) -> int:
    """Wait as `wait_there` for what this machine does not know.

    Args:
        args: Of the command.
        context: As above.
        error: What it says of the names: raised where the swarm has none of them either.
    """
    if error.code != "not_found" or (context.hive is None and not is_in_swarm(context.home)):
        raise error
    try:
        return wait_there(args, context)
    except OvermindError as other:
        if other.code in {"not_found", "no_swarm"}:
            raise error from None
        raise


class _PostWaiter:
    """The posts that are waited for, and the ends so far.

    Args:
        context: Of the command.
        words: Ids, names or beginnings of ids, in the order in which they count.

    Raises:
        OvermindError: `not_found`; `no_swarm`, and what the swarm says.
    """

    def __init__(self, context: Context, words: Sequence[str]) -> None:
        self._context = context
        self._client = swarm_client(context)
        found = [self._client.call("swarm_why", {"id": word}) for word in words]
        self._names = {one["id"]: one["name"] for one in found}
        self._ended: dict[str, Row] = {}
        self._said: set[tuple[object, ...]] = set()
        self.is_hopeless = False
        """None of those that are left can end before a person changes something."""
        self.said_something = False

    @property
    def pending(self) -> list[str]:
        """The names of those that have not ended."""
        return [name for one, name in self._names.items() if one not in self._ended]

    def is_done(self, *, any_one: bool) -> bool:
        """Whether there is nothing left to wait for."""
        return not self.pending or (any_one and bool(self._ended))

    @property
    def status(self) -> int:
        """The first exit status that isn't 0."""
        return next(filter(None, (_status(self._ended[one]) for one in self._names if one in self._ended)), 0)

    def look(self) -> list[Row]:
        """Ask the swarm once, say what is new, and return those that have ended since."""
        try:
            return self._look()
        except (OvermindError, ConnectionError) as error:
            if isinstance(error, OvermindError) and error.code not in _PASSES:
                raise
            self._say([((str(error),), f"waits: {error}")])
            self._client = swarm_client(self._context)
            return []

    def _look(self) -> list[Row]:
        left = [one for one in self._names if one not in self._ended]
        whys = [self._client.call("swarm_why", {"id": one}) for one in left]
        over = {one["id"] for one in whys if one["state"] in _OUTCOMES}
        ends: list[Row] = []
        if over:
            ends = [row for row in self._client.call("swarm_posts", {"all": True}) if row["id"] in over]
            self._ended.update({row["id"]: row for row in ends})
        running = [one for one in whys if one["id"] not in over]
        self.is_hopeless = bool(running) and all(one.get("blocked", False) for one in running)
        self._say(list(self._waits(running)))
        return sorted(ends, key=lambda row: str(row["ended_at"]))

    def _waits(self, running: Sequence[Row]) -> Iterator[tuple[tuple[object, ...], str]]:
        """Yield what they ask people, with the command that answers; of those that ask nothing how they stand."""
        questions = self._client.call("swarm_inbox") if running else []
        named = [{**one, "question": f"{SWARM}/{one['question']}"} for one in questions]
        for one in running:
            asked = list(questions_about(named, {one["id"]}, ()))
            yield from asked or [_stand(one)]

    def _say(self, found: Sequence[tuple[tuple[object, ...], str]]) -> None:
        news = [text for key, text in found if key not in self._said]
        for text in news:
            self._context.note(display_safe(text))
        self._said = {key for key, _ in found}
        self.said_something = bool(news)


def _stand(why: Row) -> tuple[tuple[object, ...], str]:
    """How one stands that has not ended: who has it, or why nobody does."""
    key = (why["id"], why["state"], why["summary"])
    if why["state"] == "queued" and why["summary"] == "yes":
        return key, f"waits: {why['name']} is queued: a hive that fits takes it"
    text = str(why["summary"]).removeprefix("waits: ").removeprefix("no: ")
    lead = "waits for you" if why.get("blocked", False) else "waits"
    return key, f"{lead}: {why['name']}{' is queued' if why['state'] == 'queued' else ''}: {text}"


def _status(end: Row) -> int:
    code = end["exit_code"]
    return (code or FAILED) if end["state"] != "done" else 0


def _end_line(end: Row) -> str:
    what = "Quest" if end["kind"] == "quest" else "Run"
    where = "" if end["hive"] is None else f" on {end['hive']}"
    reason = None if end["reason"] == end["state"] else end["reason"]
    words = ended_words(_OUTCOMES[end["state"]], end["exit_code"], reason)
    return display_safe(f"{what} {end['id']} ({end['name']}) finished{where}: {words}")
