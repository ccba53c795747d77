"""Hives, keepers and ways to the database die and come back while runs breathe: none breathes twice at once."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.breaths import PERIOD, gaps, lives
from tests.kit.killing import kill, kill_both, kill_keeper
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.torture import portion, seeded_random
from tests.kit.waiting import eventually

RUNS = portion(48)
BREATHS = 150
"""Of each run that is left alone: some seconds."""
BLOWS = portion(20)


def bounded(journal) -> str:
    """Breathe so many times, and end well."""
    return (
        f'n=0; while [ $n -lt {BREATHS} ]; do echo "$$ $(cut -d" " -f1 /proc/uptime)" >> {journal};'
        f" sleep {PERIOD}; n=$((n+1)); done; echo {journal.name} >> {journal.parent}/ends"
    )


def breaths(journals: list[Path]) -> int:
    return sum(len(journal.read_text()) for journal in journals if journal.exists())


def wait_while_others_breathe(homes: SwarmHomes, journals: list[Path], struck: str) -> None:
    """Wait until some seconds of breath have passed, or nothing is left that another hive could run."""
    before = breaths(journals)

    def look() -> bool:
        left = [row for row in homes.posts().values() if row["state"] not in {"done", "failed"}]
        return breaths(journals) > before + 2000 or all(row["hive"] in {None, struck} for row in left)

    eventually(look, timeout=60, what="others breathe on")


@pytest.mark.timeout(600)
def test_whatever_is_killed_and_cut_each_run_has_one_life_at_a_time_and_one_end(make_home, tmp_path):
    chance = seeded_random()
    with empty_database() as url, ExitStack() as stack:
        homes = SwarmHomes(url, make_home)
        ways = {name: stack.enter_context(homes.way()) for name in ("a", "b", "c")}
        for name, way in ways.items():
            homes.hive(name, "--slots", "2", way=way)
        journals = [tmp_path / f"run-{number}" for number in range(RUNS)]
        for number, journal in enumerate(journals):
            how = ("--on-lost", "move", "--lease", "10s") if number % 2 else ()
            homes.desk.ok("run", "--on", "any", "--name", journal.name, *how, bounded(journal))
        for _ in range(BLOWS):
            name = chance.choice(sorted(ways))
            home, way = homes.homes[name], ways[name]
            match chance.choice(["supervisor", "keeper", "both", "cut", "freeze"]):
                case "supervisor":
                    kill(home.supervisor_pid())
                case "keeper":
                    kill_keeper(home)
                case "both":
                    kill_both(home)
                case "cut":
                    way.cut()
                case "freeze":
                    way.freeze()
            wait_while_others_breathe(homes, journals, homes.name(name))
            way.mend()
            way.thaw()
            home.ok("start")
        eventually(
            lambda: {row["state"] for row in homes.posts().values()} <= {"done", "failed"},
            timeout=300,
            what="all have ended",
        )
        rows = homes.posts()
        for journal in journals:
            assert all(gap > 0 for gap in gaps(journal)), (journal.name, lives(journal))
            assert not any(life.goes_on for life in lives(journal))
        ended = (tmp_path / "ends").read_text().split()
        twice = {name for name in ended if ended.count(name) > 1}
        moving = {journal.name for journal in journals[1::2]}
        assert twice <= moving, "only where nobody has heard of its end for a lease one begins again elsewhere"
        failed = {name: row["reason"] for name, row in rows.items() if row["state"] == "failed"}
        assert set(failed.values()) <= {"hive_lost"}, failed  # its fourth hive was gone
        assert set(ended) >= {name for name, row in rows.items() if row["state"] == "done"}
