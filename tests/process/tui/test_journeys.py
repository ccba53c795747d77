"""What people do most with the program, start to end, inside tmux: nothing but keys and the screen."""

from __future__ import annotations

import json
import os
import re

import pytest

from tests.kit import claude
from tests.kit.screen import TMUX, TmuxScreen
from tests.kit.waiting import eventually

pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
SIZE = (120, 40)
NEEDS = "overmind › needs you"
"""The header of the questions."""
IN_LIST, IN_LOG = "y answer", "s follow"
"""The first hint while the keys are in the list, and in a log."""


def command(screen, line):
    """Type a line after the colon."""
    screen.type(f":{line}")
    screen.keys("Enter")


def press_until(screen, key, look):
    """Press a key again and again, as who was refused because something had just moved."""

    def pressed():
        screen.keys(key)
        return look()

    eventually(pressed, timeout=30.0)


def open_questions(om):
    """The numbers of what waits for an answer."""
    return {one["question"] for one in om.json("inbox", "--json")}


def statuses(om):
    """Name → status of all missions that weren't killed."""
    return {row["name"]: row["status"] for row in om.ps()}


@pytest.mark.usefixtures("alone")
def test_a_newcomer_without_any_agent_sees_everything_alive(om):
    """Empty home → the demonstration → its question → its shell → all gone."""
    with TmuxScreen(om, "tui", size=SIZE) as screen:
        screen.until("Nothing runs yet.", ":demo")
        command(screen, "demo")
        screen.until("demo-agent", "demo-service", "demo-shell", "demo-worker", timeout=40.0)
        screen.until("! demo-agent", timeout=60.0)
        screen.until("1 needs you", "May it change")
        screen.type("!")
        screen.until(NEEDS)
        asked = om.json("inbox", "--json")[0]["question"]
        press_until(screen, "y", lambda: asked not in open_questions(om))
        screen.keys("Escape")
        screen.until("demo-worker", gone=NEEDS)
        command(screen, "missions /demo-shell")
        screen.until("/ demo-shell   1 of ")
        screen.keys("Enter")
        screen.until("looking", "shop")
        screen.type("i")
        screen.until("ctrl-\\")
        screen.type("echo hello-$((40+2))")
        screen.keys("Enter")
        screen.until("hello-42")
        screen.keys("C-\\")
        screen.until("looking")
        screen.keys("Escape", "Escape", "Escape")
        screen.until("demo-worker")
        command(screen, "demo stop")
        screen.until("Nothing runs yet.", timeout=60.0)
        assert om.ps() == []
        screen.keys("q")
        assert screen.exit_status() == 0


@pytest.fixture
def squad(om, tmp_path):
    """A world where `claude` is the stand-in."""
    claude.at_hand(om, tmp_path)
    om.environment["PATH"] = f"{tmp_path}/bin:{om.environment['PATH']}"
    return om


def test_who_runs_three_sessions_side_by_side(squad):
    """Three Claude sessions: one asks, one answers a message, one is typed into; then all three end."""
    om = squad
    for name in ("api", "docs", "tests"):
        om.ok("claude", "run", "--type", "session", "--name", name)
    with TmuxScreen(om, "tui", size=SIZE) as screen:
        screen.until("api", "docs", "tests")
        om.ok("send", "api", '!ask Bash {"command": "touch made"}')
        screen.until("! api")
        screen.type(".")
        screen.until("touch made")
        question = om.json("inbox", "--json")[0]["question"]
        screen.type("!")
        screen.until(NEEDS, "touch made")
        press_until(screen, "n", lambda: question not in open_questions(om))
        screen.keys("Escape")
        screen.until("api", "docs", "tests", gone=NEEDS)
        command(screen, "missions /docs")
        screen.until("/ docs   1 of 3   esc all")
        screen.type("mwrite the readme")
        screen.keys("Enter")
        screen.until("echo: write the readme")
        screen.keys("Escape")
        screen.until("api", "docs", "tests", gone="esc all")
        screen.type("*x")
        screen.agree("y", "stop 3 missions?")
        screen.until("stopped 3 of 3")
        assert set(statuses(om).values()) == {"stopped"}


def test_a_crash_is_looked_into_and_started_again(om):
    om.mission("test -e mended || { echo first mend me; exit 3; }; echo all is well; sleep 300", "--name", "build")
    om.wait_status("build", "crashed")
    with TmuxScreen(om, "tui", size=SIZE) as screen:
        screen.until("✖ build", "failed", "first mend me")
        screen.type("l")
        screen.until(IN_LOG)
        screen.keys("Escape")
        open(os.path.join(om.home, "mended"), "w").close()
        screen.until(IN_LIST, gone=IN_LOG)
        screen.type("r")
        screen.until("all is well", "working")


def test_a_log_is_filtered_searched_and_saved(om):
    om.mission("for i in 1 2 3 4 5; do echo apple $i; echo pear $i; done; sleep 300", "--name", "fruit")
    with TmuxScreen(om, "tui", size=SIZE) as screen:
        screen.until("fruit", "pear 5")
        screen.type("l/pear")
        screen.keys("Enter")
        screen.until("pear 1", "pear 5", gone="apple 1")
        screen.keys("C-s")
        screen.until("saved")
        screen.keys("Escape")
        screen.until("apple 1", "pear 5")
    folder = os.path.join(om.home, "saved")
    (name,) = os.listdir(folder)
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        assert [line.strip() for line in file if line.strip()] == [f"pear {number}" for number in range(1, 6)]


def test_marked_ones_are_stopped_together_and_removed(om):
    for name in ("one", "two", "three"):
        om.mission("sleep 300", "--name", name)
    with TmuxScreen(om, "tui", size=SIZE) as screen:
        screen.until("one", "two", "three")
        order = re.findall("▶ (one|two|three) ", screen.shown())
        screen.keys("g")
        screen.type("  x")
        screen.agree("y", "stop 2 missions?")
        screen.until("stopped 2 of 2")
        assert statuses(om) == {order[0]: "stopped", order[1]: "stopped", order[2]: "running"}
        screen.until("2 ended: 2 stopped   enter unfolds")
        screen.keys("G", "Enter")
        screen.until("2 ended: 2 stopped   enter folds", "2 marked", gone="hidden")
        press_until(screen, "C-d", lambda: "remove 2 missions?" in screen.shown())
        screen.agree("y", "remove 2 missions?")
        screen.until("1 running", gone="ended")
        assert statuses(om) == {order[2]: "running"}


def test_any_verb_runs_behind_the_colon(om):
    om.mission("sleep 300", "--name", "one", "--label", "team=red")
    om.mission("sleep 300", "--name", "two")
    with TmuxScreen(om, "tui", size=SIZE) as screen:
        screen.until("one", "two")
        command(screen, "missions team=red")
        screen.until("1 of 2 running", gone="two")
        command(screen, "freeze")
        screen.until("frozen")
        assert om.info("one")["status"] == "paused"
        command(screen, "thaw")
        screen.until("working")
        command(screen, "nosuch")
        screen.until("unknown command 'nosuch'", "one")
        command(screen, "run --name three sleep 300")
        screen.keys("Escape")
        screen.until("three")


def test_a_form_starts_a_shell_that_is_typed_into_at_once(om):
    with TmuxScreen(om, "tui", size=SIZE) as screen:
        screen.until("Nothing runs yet.")
        command(screen, "new shell")
        screen.until("1 running")
        screen.keys("a")
        screen.until("ctrl-\\")
        screen.type("echo it-is-$((6*7))")
        screen.keys("Enter")
        screen.until("it-is-42")
        screen.keys("C-\\")
        screen.until("looking")
        screen.keys("Escape")
        screen.until(IN_LIST, gone="looking")
        screen.keys("C-k")
        screen.agree("y", "kill ")
        screen.until("killed")


def test_the_supervisor_dies_and_nothing_that_is_looked_at_is_lost(om):
    om.mission("i=0; while :; do i=$((i+1)); echo count $i; sleep 0.05; done", "--name", "counter")
    with TmuxScreen(om, "tui", size=SIZE) as screen:

        def counted():
            return [int(number) for number in re.findall(r"(?m)^ [\d: ]{5}  count (\d+)", screen.shown())]

        screen.until("counter", "count ")
        screen.type("l")
        screen.until(IN_LOG)
        old = om.supervisor_pid()
        os.kill(old, 9)
        eventually(lambda: om.holder("supervisor.lock") not in {None, old}, timeout=20.0)
        newest = re.findall(r"count (\d+)", om.ok("logs", "counter", "--tail", "1"))[-1]
        eventually(lambda: max(counted(), default=0) >= int(newest) + 5, what=f"it counts on from {newest}")
        shown = counted()
        assert shown == list(range(shown[0], shown[0] + len(shown)))
        om.mission("sleep 300", "--name", "later")
        screen.keys("Escape")
        screen.until("counter", "later", gone="went away")


def test_a_definition_is_edited_and_applied(om):
    om.environment["EDITOR"] = "sed -i s/one/two/"
    om.environment.pop("VISUAL", None)
    om.mission("echo number one; sleep 300", "--name", "edited")
    with TmuxScreen(om, "tui", size=SIZE) as screen:
        screen.until("number one")
        screen.type("e")
        screen.agree("y", "restart edited?")
        screen.until("number two", timeout=30.0)
    assert "two" in json.dumps(om.info("edited")["argv"])
