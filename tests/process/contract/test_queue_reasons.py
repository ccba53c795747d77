"""Why a quest waits, for each reason: the true cause, and the command that is printed works as it is typed."""

from __future__ import annotations

import os
import re
import shlex
from datetime import datetime, timedelta, timezone

import pytest

from tests.kit import claude, scripted
from tests.kit.queued import Queued
from tests.kit.repositories import Repository


class Asked(Queued):
    """A queue whose quests are asked why they wait, at the command line."""

    def why_lines(self, name):
        return self.om.ok("quest", "why", name).splitlines()

    def says(self, name, code, text):
        """The first line tells this, but for times; return the commands that the next ones print."""
        first, *rest = self.why_lines(name)
        timeless = re.compile(r"running \d+s")
        assert timeless.sub("", first) == timeless.sub("", f"{name} is queued: {code}: {text}")
        return [line.partition(": ")[2] for line in rest if line.startswith("  ")]

    def typed(self, command):
        """Run a command as it was printed."""
        program, *words = shlex.split(command)
        assert program == "overmind"
        return self.om.ok(*words)


@pytest.fixture
def queue(om):
    return Asked(om)


def test_blocked_names_the_root_and_its_retry_lets_all_go_on(queue):
    queue.add("root", f"test -e {queue.om.path('mended')}", retries=0)
    queue.add("between", needs=["root"])
    queue.add("last", needs=["between"])
    queue.ended("root")
    (command,) = queue.says("last", "blocked", "needs root (failed: its command failed)")
    with open(queue.om.path("mended"), "w", encoding="utf-8"):
        pass
    queue.typed(command)
    assert queue.ended("last")["status"] == "completed"


def test_blocked_by_one_that_somebody_has_cancelled(queue):
    queue.om.ok("queue", "pause")
    queue.add("root")
    queue.add("last", needs=["root"])
    queue.om.ok("quest", "cancel", "root")
    (command,) = queue.says("last", "blocked", "needs root (cancelled)")
    queue.typed(command)
    queue.om.ok("queue", "resume")
    assert queue.ended("last")["status"] == "completed"


def test_blocked_where_the_root_is_gone_is_done_without_it(queue):
    """A retry would be refused: its mission was removed, or it began at once."""
    om = queue.om
    om.ok("quest", "run", "--name", "once", "exit 3")
    queue.add("root", "exit 3", retries=0)
    om("quest", "wait", "once", "root")
    om.ok("rm", "root")
    queue.add("between", needs=["root", "once"])
    queue.add("last", needs=["between"])
    (command,) = queue.says("last", "blocked", "needs root (failed: its command failed), once (failed)")
    assert command == "overmind quest edit between --needs ''"
    queue.typed(command)
    assert queue.ended("last")["status"] == "completed"


def test_blocked_by_one_whose_name_somebody_else_has_now(queue):
    """The commands say which one is meant."""
    om = queue.om
    old = queue.add("work", f"test -e {om.path('mended')}", retries=0)
    queue.ended(old)
    queue.add("after", needs=[old])
    queue.add("work", queue.held("other"))
    queue.await_at("other")
    commands = queue.says("after", "blocked", "needs work (failed: its command failed)")
    assert commands == [f"overmind quest edit {old} --name work-2", f"overmind quest retry {old}"]
    with open(om.path("mended"), "w", encoding="utf-8"):
        pass
    for command in commands:
        queue.typed(command)
    assert queue.ended("after")["status"] == "completed"
    queue.go("other")
    queue.ended("work")


def test_needs_names_what_goes_on_and_its_own_reason_is_one_command_away(queue):
    queue.add("first", queue.held("first"))
    queue.await_at("first")
    queue.add("second", needs=["first"])
    (command,) = queue.says("second", "needs", queue.why("second")["text"])
    assert queue.why("second")["text"].startswith("waits for first (running ")
    assert queue.typed(command).splitlines()[0] == "first is running: working, attempt 1 of 3"
    queue.go("first")
    assert queue.ended("second")["status"] == "completed"


def test_held_by_a_paused_queue_goes_on_with_the_command(queue):
    queue.om.ok("queue", "pause")
    queue.add("work")
    (command,) = queue.says("work", "held", "the queue is paused")
    assert queue.typed(command) == "Queue resumed\n"
    assert queue.ended("work")["status"] == "completed"


def test_until_tells_when_and_what_has_failed_before(om):
    om.environment["TZ"] = "IST-5:30"
    queue = Asked(om, '[queue]\nbackoff = "60s"\n')
    quest = queue.add("work", "echo oh no; exit 3", retries=1)
    queue.until(quest, lambda info: info["attempts"] == 1 and info["status"] == "queued", what="between two attempts")
    why = queue.why(quest)
    at = datetime.fromisoformat(why["next_at"]).astimezone(timezone(timedelta(hours=5, minutes=30)))
    until, _, failed = why["text"].partition("; ")
    assert re.fullmatch(rf"not before ([0-9-]{{10}} )?{at:%H:%M:%S} \(attempt 2 of 2\)", until)
    assert failed == "attempt 1 failed: its command failed (3): echo oh no; exit 3"
    (command,) = queue.says("work", "until", why["text"])
    told = queue.typed(command)
    assert "oh no" in told
    assert "exit" in told


def test_owns_names_the_pattern_and_who_owns_it(om):
    code = Repository(os.path.join(om.environment["HOME"], "shop"))
    code.commit("first", {"a": "1\n"})
    queue = Asked(om, cwd=code.folder)
    queue.add("api", queue.held("api"), owns=["api/**"])
    queue.await_at("api")
    queue.add("routes", owns=["*/routes.py"])
    (command,) = queue.says("routes", "owns", "api/** is owned by api, which runs")
    assert queue.typed(command).startswith("api is running: working")
    queue.go("api")
    assert queue.ended("routes")["status"] == "completed"


def test_slots_tells_the_place_in_line_and_one_more_slot_starts_it(queue):
    queue.om.ok("queue", "slots", "1")
    queue.add("first", queue.held("first"))
    queue.await_at("first")
    queue.add("second", queue.held("second"))
    (command,) = queue.says("second", "slots", "1 of 1 slots are taken; 1st in line")
    assert queue.typed(command) == "Slots: 2\n"
    queue.await_at("second")
    queue.go("first", "second")
    queue.ended("second")


def test_slots_of_a_provider_are_told_apart(om, tmp_path):
    claude.at_hand(om, tmp_path)
    scripted.behind(om, scripted.write(tmp_path, [{"until": om.path("go")}]))
    queue = Asked(om, "[queue]\nproviders = { claude = 1 }\n")
    queue.add_all([{"title": name, "provider": "claude"} for name in ("one", "two")])
    queue.is_in("one", "running")
    (command,) = queue.says("two", "slots", "1 of 1 slots of provider claude are taken; 1st in line")
    assert "slots: provider:claude 1/1" in queue.typed(command)
    with open(om.path("go"), "w", encoding="utf-8"):
        pass
    assert queue.ended("two")["status"] == "completed"


def test_one_that_waits_for_a_person_goes_on_with_the_command(queue):
    quest = queue.add("work", review="person")
    number = queue.asked("review", quest)["question"]
    first, command, other = queue.why_lines("work")
    assert first == "work is in review: a person decides, attempt 1 of 3"
    assert other == f"  go on with: overmind answer {number} deny"
    queue.typed(command.partition(": ")[2])
    assert queue.ended(quest)["status"] == "completed"
    assert queue.why_lines("work") == ["work has completed: allowed by a person"]


def test_one_that_has_failed_goes_on_with_the_command(queue):
    quest = queue.add("work", f"test -e {queue.om.path('mended')}", retries=0)
    queue.ended(quest)
    test = f"test -e {queue.om.path('mended')}"
    first, _folder, printed, see, command = queue.why_lines("work")
    assert (first, printed) == (f"work has failed: its command failed (1): {test}", "  printed: nothing")
    assert see == "  see: overmind quest logs work"
    with open(queue.om.path("mended"), "w", encoding="utf-8"):
        pass
    queue.typed(command.partition(": ")[2])
    assert queue.ended(quest)["status"] == "completed"
