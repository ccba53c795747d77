"""Play it; exit status 0 when everything has gone as it must, else 1."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from scripts.swarm.ending import Claim, Event, claims
from scripts.swarm.quests import QUESTS
from scripts.swarm.stage import Home, NoDatabase, Stage, Unexpected, lives, read_lines, stage, until

SILENT = 10.0
"""Seconds without a beat after which a hive counts as gone: it beats each five."""
FROZEN = 5.0
"""Seconds for which the database stands still."""
PATIENCE = 120.0
"""Seconds for each step; all of them take about a minute on a machine that has nothing else to do."""
RECORDED = """
select type, post, hive, (body ->> 'fence')::bigint, coalesce(body ->> 'why', body ->> 'reason')
from overmind.events order by seq
"""
TEAM = """[agents.review]
command = "echo $$ >> '{lives}'; exec sleep 1000"

[fleets.review]
replicas = 2
on_lost = "move"
lease = "10s"
"""


class Play:
    """One demonstration."""

    def __init__(self, one: Stage) -> None:
        self.stage = one
        self.began = time.monotonic()
        self.killed = self.away = ""
        self.held: list[str] = []
        self.found: list[Claim] = []
        self.events: list[Event] = []
        self._states: dict[str, str] = {}

    def tell(self, text: str) -> None:
        """Print a line with its time."""
        sys.stdout.write(f"{time.monotonic() - self.began:6.1f} s  {text}\n")
        sys.stdout.flush()

    def play(self) -> None:
        """Play it to its end, and compare."""
        one = self.stage
        one.start_database()
        self.tell("PostgreSQL runs, for this demonstration alone")
        one.make_shop()
        one.join()
        self.tell(f"five hives have joined: {', '.join(one.hives)}")
        self._apply()
        self._post()
        self._wait_places(2)
        self._wait_begun()
        self._freeze()
        self._kill()
        self._scale(4)
        until(self._all_ended, "all quests have ended", PATIENCE)
        self._come_back()
        self._scale(1)
        self._compare()
        self._end()

    def tell_open(self) -> None:
        """Print which quests have not ended, where each stands, and what it asks, as far as the swarm says so."""
        one = self.stage
        if not one.url:
            return
        posts = one.posts() if self._states else {}
        for name, row in posts.items():
            if row["ended_at"] is None:
                self.tell(f"open: {name} {row['state']} {row['hive'] or ''} {row['phase'] or ''}")
        self.tell(f"asked: {one.owner.overmind('inbox', '-H', 'swarm').strip() or 'nothing'}")

    def _apply(self) -> None:
        team = self.stage.folder / "team.toml"
        team.write_text(TEAM.format(lives=self.stage.lives), encoding="utf-8")
        self.tell(self.stage.owner.overmind("apply", str(team)).strip())

    def _post(self) -> None:
        one = self.stage
        for number, quest in enumerate(QUESTS):
            home = list(one.hives.values())[number % len(one.hives)]
            command = quest.command(one.journal, one.gate)
            home.overmind("quest", "add", *quest.words(), "--", command, cwd=one.checkout)
        self.tell(f"{len(QUESTS)} quests are posted, from all hives")

    def _wait_begun(self) -> None:
        waiting = {quest.name for quest in QUESTS if quest.waits}
        until(lambda: waiting <= self._running().keys(), "those that wait for the gate have begun", PATIENCE)

    def _running(self) -> dict[str, int]:
        """The newest process of each quest that has begun and not ended."""
        running = {}
        for word, name, pid in map(str.split, read_lines(self.stage.journal)):
            if word == "begin":
                running[name] = int(pid)
            else:
                running.pop(name, None)
        return running

    def _freeze(self) -> None:
        self._show()
        before = self._running()
        with self.stage.frozen_database():
            self.tell(f"the database stands still, for {FROZEN:g} s")
            time.sleep(FROZEN)
            ended = ", ".join(sorted(before.keys() - self._running().keys()))
        self.tell(f"the database goes on; {ended or 'nothing'} ended meanwhile, and will be told")

    def _kill(self) -> None:
        """Kill the hive that has the quest `index`, and open the gate once nothing of it runs any more."""
        one = self.stage
        victim = str(one.posts()["index"]["hive"])
        supervisor, keeper = one.hives[victim].pids()
        for pid in (supervisor, keeper):  # neither can do anything about the end of the other one
            os.kill(pid, signal.SIGSTOP)
        posts = one.posts()
        self.held = [name for name, row in posts.items() if row["hive"] == victim and row["state"] == "claimed"]
        for pid in (keeper, supervisor):
            os.kill(pid, signal.SIGKILL)
        self.killed = self.away = victim
        self.tell(f"kill -9 of the supervisor and the keeper of {victim}, which has {', '.join(self.held)}")
        running = self._running()
        pids = [running[name] for name in self.held if name in running]
        until(lambda: not any(map(lives, [supervisor, keeper, *pids])), f"what ran at {victim} has ended", PATIENCE)
        one.gate.touch()

    def _scale(self, count: int) -> None:
        self.tell(self.stage.owner.overmind("fleet", "scale", "review", str(count)).strip())
        self._wait_places(count)

    def _wait_places(self, count: int) -> None:
        """Wait until there are so many for the swarm and in the system."""

        def look() -> bool:
            self._show()
            return self._counted() == (count, count)

        until(look, f"there are {count} places", PATIENCE)
        found = self._counted()
        hives = ", ".join(str(one["hive"]) for one in self._places())
        self.tell(f"{count} place{'' if count == 1 else 's'} of the fleet: {hives}")
        self.found.append(Claim(f"places and their processes when {count} are wanted", (count, count), found))

    def _places(self) -> list[dict[str, Any]]:
        places: list[dict[str, Any]] = self.stage.owner.json("fleet", "info", "review")["places"]
        return places

    def _counted(self) -> tuple[int, int]:
        """How many places the swarm has that run, -1 while others are on their way; how many processes there are."""
        places = self._places()
        settled = all(one["status"] == "running" and one["hive"] != self.away for one in places)
        return len(places) if settled else -1, len(self.stage.places())

    def _seen(self, seconds: float) -> list[str]:
        """The hives of which a beat was accepted in the last so many seconds."""
        rows = self.stage.owner.json("swarm", "status")["hives"]
        return sorted(row["name"] for row in rows if row["link"] == "open" and row["seen_ago"] < seconds)

    def _all_ended(self) -> bool:
        self._show()
        return all(state.split()[0] in {"done", "failed", "cancelled"} for state in self._states.values())

    def _show(self) -> None:
        """Print what has become of quests since the last look."""
        for name, row in self.stage.posts().items():
            state = str(row["state"])
            if row["hive"] is not None and state != "lost":
                state += f" at {row['hive']}"
            if self._states.get(name, "queued") != state:
                self.tell(f"{name}: {state}")
            self._states[name] = state

    def _come_back(self) -> None:
        hive = self.stage.hives[self.killed]
        began = time.monotonic()
        hive.overmind("start")
        until(lambda: self.killed in self._seen(time.monotonic() - began), f"{self.killed} is back", PATIENCE)
        self.away = ""
        self.tell(f"{self.killed} is started again")

        def settled() -> bool:
            ended = {"completed", "failed", "cancelled"}
            return all(row["status"] in ended for row in hive.json("quest", "list"))

        until(settled, f"{self.killed} knows that its quests are over", PATIENCE)

    def _compare(self) -> None:
        one = self.stage
        rows = one.query(RECORDED)
        events = self.events = [Event(*row) for row in rows]
        self.found += claims(one.posts(), events, one.landed(), killed=self.killed, held=self.held)
        self.found.append(Claim("hives that are there", sorted(one.hives), self._seen(SILENT)))

    def _end(self) -> None:
        one = self.stage
        one.owner.overmind("fleet", "delete", "review", "--yes")
        until(lambda: not one.places(), "all places have ended", PATIENCE)
        homes: list[Home] = [*one.hives.values(), one.owner]
        rows = [row for home in homes for row in home.json("ps")]
        running = [row["name"] for row in rows if row["status"] not in {"stopped", "crashed", "killed"}]
        self.found.append(Claim("missions that still run", [], running))


def main() -> int:
    """Play it and compare."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        with stage() as one:
            play = Play(one)
            try:
                play.play()
            except Unexpected:
                with suppress(Unexpected):  # what has gone wrong first is what counts
                    play.tell_open()
                raise
            for claim in play.found:
                play.tell(f"{'ok  ' if claim.holds else 'NOT '}{claim.what}: {_text(claim.found)}")
                if not claim.holds:
                    play.tell(f"    expected: {_text(claim.expected)}")
            good = all(claim.holds for claim in play.found)
            for event in play.events if not good else []:
                play.tell("    " + " ".join(map(str, filter(None, event))))
            folder = one.folder
        play.tell(f"no process and no file is left of {folder}")
    except NoDatabase as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Unexpected as error:
        sys.stderr.write(f"This is not how it should be: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if good else 1


def _text(found: object) -> str:
    if isinstance(found, dict):
        return ", ".join(f"{name} {each}" for name, each in found.items())
    if isinstance(found, list | tuple):
        return ", ".join(map(str, found)) or "none"
    return str(found)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    sys.exit(main())
