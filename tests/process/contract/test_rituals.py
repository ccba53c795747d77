"""Rituals: quests that come again by a schedule; once per due time, whoever dies meanwhile."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from dataclasses import replace

import pytest

from overmind_core.daemon.state import State
from overmind_core.domain.schedules import RunStatus, Trigger
from overmind_core.schedules import store
from tests.kit.killing import kill, kill_supervisor
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

NEVER = "0 0 29 2 *"
"""Comes on no day of this test."""


class Rituals:
    """Rituals in the folder of a home, through the socket."""

    def __init__(self, om):
        self.om = om
        om.ok("start")

    def create(self, name, schedule, command, **how):
        quest = {"command": command, "cwd": self.om.home, "env": self.om.environment, **how.pop("quest", {})}
        return self.om.api("ritual_create", name=name, schedule=schedule, zone="UTC", quest=quest, **how)

    def history(self, name):
        return self.om.api("ritual_history", id=name)

    def until(self, name, holds):
        """The history once `holds` is true of it; looks again at each event."""
        with RawSocket.connect(self.om.home, timeout=20) as events:
            events.ok("events", follow=True, since=self.om.since)
            while not holds(rows := self.history(name)):
                events.read_line()
            return rows

    def lines(self, file="out"):
        try:
            with open(self.om.path(file)) as opened:
                return opened.read().split()
        except FileNotFoundError:
            return []


@pytest.fixture
def rituals(om):
    return Rituals(om)


def count(rows, status="completed"):
    return sum(row["status"] == status for row in rows)


def test_a_ritual_is_created_shown_run_paused_resumed_and_deleted(om):
    words = ("--tz", "Europe/Berlin", "--retries", "1", "--label", "a=b", "echo ran")
    told = om.ok("ritual", "create", "nightly", "0 3 * * *", *words)
    first, second = told.splitlines()
    assert first == "Ritual created: nightly (0 3 * * *, Europe/Berlin)"
    assert re.fullmatch(r"Next: (\d{4}-\d\d-\d\d 03:00 CES?T(, |$)){3}", second)
    title, row = om.ok("rituals").splitlines()
    assert title.split() == ["NAME", "STATUS", "SCHEDULE", "NEXT", "LAST", "RESULT", "COMMAND"]
    assert row.split()[:2] == ["nightly", "waiting"]
    assert om.ok("ritual", "list") == f"{title}\n{row}\n"
    began = om.ok("ritual", "run", "nightly")
    quest = re.findall(r"^Quest started: ([0-9a-f]{8}) \(nightly/1\)\n$", began)[0]
    om.ok("quest", "wait", quest)
    assert om.ok("quest", "logs", "nightly/1") == "ran\n"
    assert om.info(quest)["labels"] == {"a": "b"}
    assert om.ok("ritual", "pause", "nightly") == "Paused ritual nightly\n"
    info = om.json("ritual", "info", "nightly", "--json")
    assert (info["status"], info["next_at"], info["last_result"], info["last_id"]) == (
        "paused",
        None,
        "completed",
        quest,
    )
    assert [run["trigger"] for run in info["runs"]] == ["manual"]
    assert om.ok("ritual", "resume", "nightly").startswith("Resumed ritual nightly. Next: ")
    (run,) = om.json("ritual", "history", "nightly", "--json")
    assert (run["number"], run["status"], run["id"], run["exit_code"]) == (1, "completed", quest, 0)
    assert om.json("quest", "info", quest, "--json")["ritual"] == "nightly"
    assert om.ok("ritual", "delete", "nightly") == "Deleted ritual nightly\n"
    assert om.json("rituals", "--json") == []
    assert om.json("quest", "info", quest, "--json")["status"] == "completed"


def test_several_rituals_are_deleted_only_where_somebody_agrees(om):
    for name in ("one", "two"):
        om.ok("ritual", "create", name, NEVER, "true")
    refused = om.refused("ritual", "delete", "one", "two", code="invalid")
    assert "Delete 2 rituals with their histories? Nobody can be asked here: repeat it with -y." in refused
    assert [row["name"] for row in om.json("rituals", "--json")] == ["one", "two"]
    assert om.ok("ritual", "delete", "-y", "one", "two") == "Deleted ritual one\nDeleted ritual two\n"


def test_what_makes_no_ritual_is_refused_by_name_and_leaves_nothing(om, rituals, cases, absent):
    rituals.create("there", NEVER, "true")
    for words, code, said in [
        (["x", "61 * * * *", "true"], "invalid_cron", "minute: '61'"),
        (["x", "* * * * FOO", "true"], "invalid_cron", "day-of-week: 'FOO'"),
        (["x", "* * * *", "true"], "invalid_cron", "4 fields"),
        (["x", "@every 10ms", "true"], "invalid_cron", "shorter than 1s"),
        (["x", "@reboot", "true"], "invalid_cron", "@reboot"),
        (["there", "@daily", "true"], "name_taken", "'there'"),
        (["x/y", "@daily", "true"], "invalid", "'x/y'"),
        (["x", "@daily", "--tz", "Mars/Olympus", "true"], "invalid", "Mars/Olympus"),
        (["x", "@daily", "--cwd", absent, "true"], "cwd_not_found", absent),
        (["x", "@daily", "nosuchprogram-at-all", "a"], "not_found", "nosuchprogram"),
    ]:
        with cases(" ".join(words)):
            usage = code in {"invalid", "invalid_cron"}
            assert said in om.refused("ritual", "create", *words, code=code, exit_code=2 if usage else 1)
    for words in (
        ["x", "@daily"],
        ["x"],
        [],
        ["x", "@daily", "--overlap", "maybe", "true"],
        ["x", "@daily", "--keep", "0", "true"],
    ):
        with cases(f"usage: {words}"):
            assert om("ritual", "create", *words).returncode == 2
    for command in ("info", "run", "pause", "resume", "delete", "history"):
        with cases(command):
            om.refused("ritual", command, "nosuch", code="not_found")
    assert [row["name"] for row in om.json("rituals", "--json")] == ["there"]


@pytest.mark.own_home
def test_it_comes_again_and_again_on_time_and_once_each(om, rituals):
    """On the real clock; also after a restart of the daemon, which begins nothing by itself."""
    created = rituals.create("tick", "@every 1s", "echo $OVERMIND_MISSION_NAME >> out", keep=50)
    rituals.create("tock", NEVER, "echo tock >> out")
    rows = rituals.until("tick", lambda rows: count(rows) >= 2)
    om.ok("shutdown")
    om.ok("start")
    known = len(rituals.history("tick"))
    rows = rituals.until("tick", lambda rows: count(rows) >= known + 1)
    om.ok("ritual", "pause", "tick")
    rows = rituals.until("tick", lambda rows: all(row["status"] != "running" for row in rows))
    names = [row["name"] for row in rows if row["name"]]
    assert rituals.lines() == names == [f"tick/{row['number']}" for row in rows if row["name"]]
    anchor = _seconds(created["created_at"])
    assert [round(_seconds(row["due_at"]) - anchor, 3) % 1 for row in rows] == [0.0] * len(rows)
    assert len({row["due_at"] for row in rows}) == len(rows)
    assert all(_seconds(row["started_at"]) >= _seconds(row["due_at"]) for row in rows if row["started_at"])


def _seconds(text):
    moment = time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    return (time.mktime(moment) - time.timezone) + float(text[19:-1])


def test_a_time_that_comes_while_the_run_before_goes_on_is_skipped_or_waits(om, rituals):
    hold = "while ! test -e go; do sleep 0.05; done; echo $OVERMIND_MISSION_NAME >> out"
    rituals.create("skips", "@every 1s", hold)
    rituals.create("queues", "@every 1s", hold, overlap="queue")
    skipped = rituals.until("skips", lambda rows: count(rows, "skipped"))
    queued = rituals.until("queues", lambda rows: count(rows, "queued"))
    assert [row["status"] for row in skipped[:2]] == ["running", "skipped"]
    assert [row["status"] for row in queued[:2]] == ["running", "queued"]
    assert "is still running" in om.refused("ritual", "run", "skips", code="busy")
    assert om.ok("ritual", "run", "queues").startswith("Queued: run ")
    om.api("ritual_pause", id="skips")
    with open(om.path("go"), "w"):
        pass
    rows = rituals.until("queues", lambda rows: count(rows) >= len(queued))
    om.api("ritual_pause", id="queues")
    assert [line for line in rituals.lines() if line.startswith("queues")][: len(queued)] == [
        row["name"] for row in rows if row["status"] == "completed"
    ][: len(queued)]


@pytest.mark.own_home
def test_only_the_last_runs_are_kept_with_their_missions(om, rituals):
    rituals.create("short", NEVER, "true", keep=2, quest={"check": "true"})
    for number in range(1, 5):
        om.api("ritual_run", id="short")
        rituals.until("short", lambda rows, number=number: rows[-1]["number"] == number and count(rows) == len(rows))
    eventually(lambda: [row["number"] for row in rituals.history("short")] == [3, 4], what="two are kept")
    expected = {"short/3", "short/3/check", "short/4", "short/4/check"}
    eventually(lambda: {row["name"] for row in om.ps("--all")} == expected, what="their missions alone are there")
    assert [row["name"] for row in om.api("quests")] == ["short/3", "short/4"]


def test_a_run_that_can_not_start_has_failed_and_says_why(om, rituals):
    os.mkdir(om.path("gone"))
    rituals.create("lost", NEVER, "true", quest={"cwd": om.path("gone")})
    os.rmdir(om.path("gone"))
    finished = om("ritual", "run", "lost")
    (row,) = rituals.history("lost")
    assert (row["status"], row["id"], finished.returncode) == ("failed", None, 1)
    assert finished.stderr == f"Error: {row['reason']}: {row['text']}\n"
    assert om.path("gone") in row["text"]


def test_a_deleted_ritual_leaves_its_running_quest_alone(om, rituals):
    rituals.create("brief", NEVER, "while ! test -e go; do sleep 0.05; done")
    quest = om.api("ritual_run", id="brief")["id"]
    om.api("ritual_delete", id="brief")
    assert om.api("quest", id=quest)["status"] == "running"
    with open(om.path("go"), "w"):
        pass
    assert om.ok("quest", "wait", quest).endswith("completed (exit code 0)\n")
    rituals.create("brief", NEVER, "true")  # the name, and the numbers of its runs, are free again
    assert om.api("ritual_run", id="brief")["number"] == 1


@pytest.mark.own_home
def test_the_environment_of_a_ritual_is_told_to_nobody(om, rituals):
    rituals.create("secret", NEVER, "test $TOKEN = s3cr3t-value", quest={"env_set": {"TOKEN": "s3cr3t-value"}})
    quest = om.api("ritual_run", id="secret")["id"]
    assert om.ok("quest", "wait", quest).endswith("completed (exit code 0)\n")
    shown = json.dumps([om.api("ritual", id="secret"), om.api("quest", id=quest)]) + om.ok("events")
    assert "s3cr3t" not in shown.replace("test $TOKEN = s3cr3t-value", "")
    om.ok("ritual", "delete", "secret")
    om.ok("rm", quest)
    om.ok("shutdown")
    with open(om.path("state.db"), "rb") as file:
        assert b'"TOKEN":' not in file.read()


@pytest.mark.own_home
def test_a_supervisor_killed_between_the_due_time_and_the_start_runs_it_once(om, rituals):
    """It is held when the time comes, so that it can't have done anything about it, and killed."""
    created = rituals.create("late", "@every 2s", "echo $OVERMIND_MISSION_NAME >> out", catch_up="none")
    supervisor = om.supervisor_pid()
    os.kill(supervisor, signal.SIGSTOP)
    due = _seconds(created["created_at"]) + 2.0
    eventually(lambda: time.time() > due + 0.1, what="the time has come")
    kill(supervisor)
    om.ok("start")
    rows = rituals.until("late", lambda rows: count(rows) >= 1)
    om.api("ritual_pause", id="late")
    assert rows[0]["trigger"] == "schedule"
    assert rituals.lines()[0] == "late/1"
    assert len(set(rituals.lines())) == len(rituals.lines())


@pytest.mark.own_home
def test_a_supervisor_comes_back_for_a_schedule_although_nothing_runs(om, rituals):
    rituals.create("alone", "@every 1s", "echo $OVERMIND_MISSION_NAME >> out")
    om.api("ritual_pause", id="alone")
    rituals.until("alone", lambda rows: all(row["status"] != "running" for row in rows))
    om.api("ritual_resume", id="alone")
    kill_supervisor(om)
    before = len(rituals.lines())
    rituals.until("alone", lambda _: len(rituals.lines()) > before)


@pytest.mark.own_home
def test_what_was_saved_and_not_begun_begins_once_and_what_had_begun_not_again(om, rituals):
    """The books are put back to each moment between the decision and its result."""
    rituals.create("torn", NEVER, "echo $OVERMIND_MISSION_NAME >> out")
    om.api("ritual_run", id="torn")
    rituals.until("torn", lambda rows: count(rows) == 1)
    om.ok("shutdown")
    state = State.open(om.path("state.db"))
    ritual = store.RITUAL.decode(state.rituals.all()[0])
    done = store.RUN.decode(state.rituals.runs(ritual.id)[0])
    forgotten = replace(done, status=RunStatus.STARTING, mission=None, name=None, started_at=None, ended_at=None)
    unbegun = replace(forgotten, number=2, trigger=Trigger.SCHEDULE)
    with state.transaction():
        state.rituals.save(ritual.id, store.RITUAL.encode(replace(ritual, number=2)))
        state.rituals.save_run(store.run_row(forgotten))
        state.rituals.save_run(store.run_row(unbegun))
    state.close()
    om.ok("start")
    rows = rituals.until("torn", lambda rows: count(rows) == 2)
    assert (rows[0]["id"], rows[1]["name"]) == (done.mission, "torn/2")
    assert rituals.lines() == ["torn/1", "torn/2"]


@pytest.mark.own_home
def test_a_ritual_of_an_earlier_version_with_more_retries_than_there_can_be_still_comes(om, rituals):
    rituals.create("old", NEVER, "true", quest={"retries": 3})
    om.ok("shutdown")
    state = State.open(om.path("state.db"))
    ritual = store.RITUAL.decode(state.rituals.all()[0])
    with state.transaction():
        state.rituals.save(
            ritual.id, store.RITUAL.encode(replace(ritual, quest={**(ritual.quest or {}), "retries": 5000}))
        )
    state.close()
    om.ok("start")
    quest = om.api("ritual_run", id="old")["id"]
    assert om.ok("quest", "wait", quest).endswith("completed (exit code 0)\n")
    assert om.api("quest", id=quest)["retries"] == 100


PLAN = """\
[blueprint]
name = "shipping"
[vars]
word = "plain"
[agents.build]
command = "echo built ${vars.word} >> out"
[agents.ship]
command = "while test -e hold; do sleep 0.05; done; exit ${vars.code}"
depends_on = ["build"]
"""


def test_a_plan_comes_again_as_it_was_when_its_ritual_was_created(om, rituals, cases):
    with open(om.path("ship.toml"), "w") as file:
        file.write(PLAN)
    words = ("ritual", "create", "weekly", NEVER, "--apply", "ship.toml")
    assert "ship.toml:8:58: " in om(*words).stderr
    with cases("usage"):
        assert om(*words, "--var", "code=0", "true").returncode == 2
        assert om(*words, "--var", "code=0", "--retries", "1").returncode == 2
        assert om("ritual", "create", "weekly", NEVER, "--var", "code=0", "true").returncode == 2
    om.ok(*words, "--var", "code=0")
    os.unlink(om.path("ship.toml"))
    began = om.ok("ritual", "run", "weekly")
    first = re.findall(r"^Started plan ([0-9a-f]{8}) \(shipping\)\n$", began)[0]
    (row,) = rituals.until("weekly", count)
    assert (row["id"], row["exit_code"], rituals.lines()) == (first, 0, ["built", "plain"])
    with cases("a plan of that name that somebody else has started is left alone"):
        with open(om.path("hold"), "w"), open(om.path("ship.toml"), "w") as file:
            file.write(PLAN)
        om.ok("apply", "ship.toml", "--var", "code=3")
        om.refused("ritual", "run", "weekly", code="name_taken")
        os.unlink(om.path("hold"))
        assert om("wait", "shipping").returncode == 1
    with cases("its history"):
        assert [run["status"] for run in om.json("ritual", "history", "weekly", "--json")] == ["completed", "failed"]
        (shown,) = om.json("rituals", "--json")
        assert (shown["kind"], shown["command"]) == ("blueprint", f"apply {om.path('ship.toml')}")


@pytest.mark.own_home
@pytest.mark.parametrize(
    ("catch_up", "trigger", "status"), [("one", "catch_up", "completed"), ("none", None, "missed")]
)
def test_after_a_day_without_a_daemon_one_run_stands_for_all_or_none_does(om, rituals, catch_up, trigger, status):
    far = (time.gmtime().tm_min + 30) % 60  # no due time comes while this runs
    rituals.create("away", f"{far} * * * *", "echo $OVERMIND_MISSION_NAME >> out", catch_up=catch_up)
    om.ok("shutdown")
    state = State.open(om.path("state.db"))
    ritual = store.RITUAL.decode(state.rituals.all()[0])
    hour = 3600.0
    last = ritual.last - 24 * hour
    with state.transaction():
        state.rituals.save(ritual.id, store.RITUAL.encode(replace(ritual, last=last)))
    state.close()
    om.ok("start")
    (row,) = rituals.until("away", lambda rows: count(rows, status) == 1)
    assert row["missed"] == 23
    assert row["trigger"] == trigger or trigger is None
    assert f"{row['missed']} missed before" in om.ok("ritual", "history", "away")
    assert rituals.lines() == (["away/1"] if status == "completed" else [])


@pytest.mark.own_home
@pytest.mark.torture
def test_whenever_a_supervisor_is_killed_each_run_comes_once(om, rituals):
    rituals.create("chaos", "@every 1s", "echo $OVERMIND_MISSION_NAME >> out; sleep 0.4", keep=100)
    for pause in (0.9, 0.13):
        time.sleep(pause)  # any moment will do
        kill_supervisor(om)
    rituals.until("chaos", lambda rows: len([row for row in rows if row["name"]]) >= 2)
    om.api("ritual_pause", id="chaos")
    rows = rituals.until("chaos", lambda rows: all(row["status"] != "running" for row in rows))
    begun = [row["name"] for row in rows if row["name"]]
    assert rituals.lines() == begun
    assert len(set(begun)) == len(begun) >= 2
    assert len({row["due_at"] for row in rows}) == len(rows)


def test_a_ritual_that_is_deleted_as_it_is_made_is_told_of_as_gone(rituals):
    quest = {"command": "true", "cwd": rituals.om.home}
    told = set()
    with RawSocket.connect(rituals.om.home, timeout=20) as api:
        for _ in range(60):
            create = {"cmd": "ritual_create", "args": {"name": "r", "schedule": NEVER, "quest": quest}, "id": 0}
            api.send_line(create)
            deleted = made = None
            number = 0
            while made is None or deleted is None:
                number += 1
                api.send_line({"cmd": "ritual_delete", "args": {"id": "r"}, "id": number})
                while (answer := api.read_line())["id"] != number:
                    made = answer
                deleted = answer.get("ok", deleted)
            told.add(made.get("error", "made"))
    assert told <= {"made", "not_found"}, told
