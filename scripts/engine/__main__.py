"""Play it; exit status 0 when it has ended as it must, else 1."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType
from typing import Any, NoReturn

from scripts.engine.ending import claims
from scripts.engine.stage import Stage, Unexpected, stage

KILLED_AFTER = 35.0
"""Seconds after which the daemon is killed, or as soon as tasks run where that is later."""
PATIENCE = 900.0
"""Seconds for all of it; it takes one minute on a machine that has nothing else to do."""
EXPECTED = frozenset({"phase", "steer", "merge"})
"""What it asks."""
LOOK = 0.1
"""Seconds between two looks for processes."""


class Play:
    """One demonstration."""

    def __init__(self, one: Stage) -> None:
        self.stage = one
        self.began = time.monotonic()
        self.events: list[dict[str, Any]] = []
        self.killed = False
        self._works = False
        """A task has begun."""
        self._asked: dict[int, dict[str, Any]] = {}
        """Questions that nobody has answered."""

    def tell(self, text: str) -> None:
        """Print a line with its time."""
        sys.stdout.write(f"{time.monotonic() - self.began:6.1f} s  {text}\n")
        sys.stdout.flush()

    def play(self) -> str:
        """Play it to its end; return the spec's slug."""
        said = self.stage.overmind("demo", "spec", "--no-tui").splitlines()[0]
        self.tell(said)
        slug = said.partition("(")[2].partition(")")[0]
        for event in self.stage.events(self.began + PATIENCE):
            if event is not None:
                self.events.append(event)
                self._follow(event)
            self._kill_in_time()
            self._answer()
            if event is not None and (event["type"], event.get("phase"), event.get("state")) == ("spec", None, "done"):
                return slug
        raise Unexpected("the events have ended")

    def _follow(self, event: dict[str, Any]) -> None:
        self._works |= event["type"] == "quest" and "/TSK-" in event["name"] and event["status"] == "running"
        if event["type"] == "asked":
            self._asked[event["question"]] = event
        elif event["type"] == "answered":
            self._asked.pop(event["question"], None)
        line = told(event)
        if line:
            self.tell(line)
        if (
            event["type"] == "quest"
            and event["name"].endswith("/requirements")
            and event["status"] == "queued"
            and event["class"]
        ):
            self._tell_score(event["name"].partition("/")[0])

    def _tell_score(self, slug: str) -> None:
        """What the document of an attempt is worth that has failed."""
        for phase in self.stage.json("spec", "show", slug)["phases"]:
            if phase["phase"] == "requirements" and phase["score"] is not None:
                self.tell(f"{slug}/requirements  scores {phase['score']:g} of the .7 that it needs")

    def _kill_in_time(self) -> None:
        if not self.killed and self._works and time.monotonic() - self.began >= KILLED_AFTER:
            self.killed = True
            self.tell(f"kill -9 {self.stage.kill_daemon()}, the daemon")

    def _answer(self) -> None:
        """Allow what is asked; the last of it only after the daemon was killed."""
        for number, question in list(self._asked.items()):
            if question["need"] not in EXPECTED:
                raise Unexpected(f"nobody should be asked this: {question['summary']}")
            if question["need"] == "merge" and not self.killed:
                continue
            if question["need"] == "merge":
                self._show_preview()
            elif question["need"] == "steer":
                self.show("health")
                self.show("board")
            try:
                self.tell(self.stage.overmind("answer", str(number), "allow").splitlines()[0])
            except Unexpected as error:  # the daemon has just been killed: the event says whether the answer came
                self.tell(f"again later: {error}")
            else:
                self._asked.pop(number)

    def _show_preview(self) -> None:
        inbox = self.stage.overmind("inbox")
        self.tell(next(line.strip() for line in inbox.splitlines() if "commits" in line))
        if "no conflict" not in inbox:
            raise Unexpected(f"the spec's branch conflicts: {inbox}")

    def show(self, *words: str) -> None:
        """Run a command, and print it with what it prints."""
        sys.stdout.write(f"          $ overmind {' '.join(words)}\n")
        for line in self.stage.overmind(*words).splitlines():
            sys.stdout.write(f"            {line}\n")
        sys.stdout.flush()


def told(event: dict[str, Any]) -> str:
    """An event in one line; "" for those that say nothing new."""
    name = event.get("name") or event.get("mission")
    match event["type"]:
        case "quest":
            phase = event["phase"] if event["status"] == "running" else None
            parts = [event["status"], phase, event["class"], f"attempt {event['attempt']}"]
            said = "  ".join(one for one in parts if one)
        case "spec" if event["phase"] is not None and event.get("score") is not None:
            said = f"{event['phase']} {event['state']}  {event['score']:g}"
        case "asked":
            said = f"asked: {event['summary']}"
        case "steer":
            said = f"steered: {event['outcome'] or event['why']}"
        case "report":
            said = f"reports a {event['kind']}"
        case "overlap":
            said = f"overlap with {event['other_name']}: {', '.join(event['files'])}"
        case "note":
            said = f"lesson {event['note']} {event['change']}: {event.get('why')}"
        case "landed":
            said = f"landed on {event['target']}"
        case _:
            return ""
    return f"{name}  {said}"


def main() -> int:
    """Play it and compare."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        with stage() as one:
            good = _judged(one)
            _see_that_nothing_is_left(one)
    except Unexpected as error:
        sys.stderr.write(f"This is not how it should be: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if good else 1


def _judged(one: Stage) -> bool:
    play = Play(one)
    slug = play.play()
    play.show("board", slug, "--all")
    quests = [one.json("quest", "info", row["id"]) for row in one.json("quest", "list", "--spec", slug)]
    found = list(claims(play.events, quests))
    for claim in found:
        play.tell(f"{'ok  ' if claim.holds else 'NOT '}{claim.what}: {claim.found}, as expected: {claim.expected}")
    one.run(["./test"], cwd=one.shop)
    clean = one.run(["git", "status", "--porcelain", "--untracked-files=no"], cwd=one.shop) == ""
    play.tell("the shop's tests pass on main" + (", and nothing there is uncommitted" if clean else ""))
    play.tell(one.overmind("demo", "spec", "stop").strip())
    return clean and all(claim.holds for claim in found)


def _see_that_nothing_is_left(one: Stage) -> None:
    rows = [*one.json("ps", "--all"), *one.json("quest", "list"), *one.json("spec", "list", "--all")]
    if rows or one.json("inbox") or one.shop.exists():
        raise Unexpected(f"something is left: {rows}")
    one.overmind("shutdown", "--yes")
    deadline = time.monotonic() + PATIENCE
    while left := one.processes():  # the keeper ends behind the daemon
        if time.monotonic() > deadline:
            raise Unexpected(f"processes are left: {left}")
        time.sleep(LOOK)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    sys.exit(main())
