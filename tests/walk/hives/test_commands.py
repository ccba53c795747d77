"""`-H` and all commands of the table: each is done there, or says in one sentence that it is for this machine alone."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from overmind_core.cli.command import MODULES
from overmind_core.cli.hives.only_here import is_only_here
from overmind_core.client.unreadable import SENTENCE
from tests.hives.test_commands import example
from tests.kit.named_hives import name_odd_hive
from tests.kit.waiting import eventually
from tests.process.long.hives.test_keys import reached

__all__ = ["reached"]

ENDLESS = {"monitor"}
LAST = "shutdown"
THERE = sorted(name for name in MODULES if not is_only_here(name) and name not in {*ENDLESS, LAST})
HERE_FIRST = ("needs a terminal", "No such file or directory", "Give a value", "The file is empty")
"""What a command finds out before it asks anybody."""


def test_every_other_command_is_done_there_and_nothing_of_it_here(reached, tmp_path):
    there = reached.home("eu1")
    there.mission("sleep 600", "--name", "api")

    def asked(name):
        words = example(name)
        done = reached.om("-H", "eu1", *words, cwd=str(tmp_path))
        assert done.returncode in {0, 1, 2}, (words, done)
        assert "Traceback" not in done.stderr, (words, done)
        assert "internal" not in done.stderr, (words, done)
        if done.returncode:
            said = done.stderr.partition(": ")[2]
            assert "eu1" in said or any(one in said for one in HERE_FIRST), (words, done)

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(asked, THERE)) == [None] * len(THERE)
    watched = reached.om.popen("monitor", "-H", "eu1")
    assert "Daemon:   running" in watched.stdout.readline()
    watched.kill()
    watched.communicate()
    assert "Daemon stopped on eu1" in reached("shutdown", "-y", "-H", "eu1")
    assert not os.path.exists(os.path.join(reached.om.home, "overmind.sock")), "no daemon was ever needed here"
    assert "daemon_not_running" in there("status").stderr, "it was that of the hive"


ODD = {
    "ps": [{"id": "00c0ffee", "name": "x"}], "top": [7], "inbox": [{"question": 1}], "cost": {"a": 1}, "events": [],
}  # fmt: skip


def test_a_hive_that_answers_nonsense_is_told_in_one_sentence(hives, tmp_path):
    name_odd_hive(hives.om, tmp_path, ODD)
    lines = ("ps", "top --once", "inbox", "logs x", "stop x", "rm x", "restart x", "send x hi", "changes x", "merge x",
             "board", "queue", "quest list", "worktrees", "health", "status")  # fmt: skip
    for line in lines:
        done = hives.om(*line.split(), "-H", "odd")
        assert done.returncode == 1, line
        assert (
            done.stderr == "Error: internal: odd: its answers make no sense here. Install the same overmind on both\n"
        )


@pytest.mark.parametrize("words", [["ps"], ["ps", "--wide"], ["top", "--once"], ["inbox"], ["cost"], ["logs"]])
def test_a_hive_that_answers_nonsense_hides_no_other(hives, tmp_path, words):
    name_odd_hive(hives.om, tmp_path, ODD)
    hives.add("eu1")
    mission = hives.home("eu1").mission("echo here; sleep 600", "--name", "api")
    eventually(lambda: "here" in hives.home("eu1").ok("logs", mission))
    hives("ps", "-H", "eu1")  # its link is open: a hive whose gate begins a second later than that of another is silent
    done = hives.om(*words, "-H", "odd,eu1")
    assert done.returncode == 1
    assert f"Error: internal: odd: {SENTENCE}\n" in done.stderr
    shown = {"ps": mission, "top": mission, "logs": "here"}
    assert shown.get(words[0], "") in done.stdout, done
