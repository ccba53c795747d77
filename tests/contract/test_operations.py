"""What the table of operations claims, tried on a daemon: a reading changes nothing, and what may be repeated may be.

Who may not ask is tried in tests/orchestration/test_callers.py.
"""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from overmind_core.daemon.routes import TABLE
from overmind_core.domain.operations import OPERATIONS, REQUESTS, Danger
from scripts.reference.answer_types import answers
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

NEVER = "0 0 29 2 *"
READINGS = {
    "hello": {"version": "0.0.0"},
    "status": {},
    "ps": {"all": True, "wide": True},
    "info": {"id": "task", "env": True, "reveal": True},
    "logs": {"ids": ["task"]},
    "definition": {"id": "task"},
    "environment": {"id": "task"},
    "wait": {"ids": ["ended"]},
    "top": {},
    "events": {},
    "subscribe": {"ids": ["ended"], "from_start": True},
    "await_message": {"message": 1, "timeout": 0},
    "messages": {"id": "talk"},
    "result": {"id": "talk"},
    "inbox": {},
    "cost": {},
    "plans": {},
    "plan": {"id": "plan"},
    "quests": {},
    "quest": {"id": "quest"},
    "quest_wait": {"ids": ["done"]},
    "rituals": {},
    "ritual": {"id": "ritual"},
    "ritual_history": {"id": "ritual"},
    "isolate": {"cwd": "/"},
    "ports": {},
    "worktrees": {"sizes": True},
    "changes": {"id": "task"},
}
"""Request that changes nothing → arguments with which it has something to tell."""
SAY_SO = {"freeze": {"paused"}, "thaw": {"not_running"}}
"""A repeat that is refused, by a sentence that says how it is: as it should be."""


class World:
    """A home in which something of everything is there, and nothing goes on."""

    def __init__(self, om):
        self.om = om
        om.environment |= AUTHOR
        self.code = Repository(om.path("code"))
        self.code.commit("first", {".overmind.yml": "isolation: {}\n"})
        self.at = {"cwd": self.code.folder, "env": om.environment, "isolate": False}
        om.ok("start")
        self.task("task")
        self.over("ended")
        self.task("talk", "exec cat", type="session")
        om.api("send", id="talk", text="hello")
        eventually(lambda: "hello" in om.logs("talk"), what="what it was sent")
        om.api("apply", **self.plan("plan"))
        om.api("quest_run", **self.quest("quest"))
        om.api("quest_run", **self.quest("done", "true"))
        self.ritual("ritual")
        eventually(lambda: om.api("plan", id="plan")["agents"][0]["stage"] == "running", what="the plan runs")
        eventually(lambda: om.api("quest", id="done")["status"] == "completed", what="a quest is done")

    def task(self, name, command="exec sleep 1000", **more):
        """The name of a mission that runs."""
        self.om.api("run", command=command, name=name, **self.at | more)
        return name

    def over(self, name):
        """The name of one that has ended."""
        self.om.wait_status(self.task(name, "true"), "stopped")
        return name

    def worker(self, name):
        """The name of one that has ended, with a branch, which a remote may be pushed."""
        self.code.git("init", "-q", "--bare", self.om.path("remote"))
        self.code.git("remote", "add", "origin", self.om.path("remote"))
        self.om.wait_status(self.task(name, "echo x > new; git add new; git commit -qm new", isolate=True), "stopped")
        return name

    def plan(self, name):
        """A plan, to be applied."""
        agents = [{"name": "a", "start": {"command": "exec sleep 1000", "cwd": "/"}}]
        return {"blueprint": {"name": name, "agents": agents}, "cwd": "/", "env": self.om.environment}

    def quest(self, name, command="exec sleep 1000"):
        """A quest, to be begun."""
        return {"command": command, "name": name, **self.at}

    def ritual(self, name):
        """The name of a ritual."""
        self.om.api("ritual_create", name=name, schedule=NEVER, quest=self.quest("begun"))
        return name

    def changes(self):
        """Each change that may be repeated, with arguments: what it is about is made when it is its turn."""
        om = self.om
        yield "run", {"command": "exec sleep 1000", "request": "run", **self.at}
        yield "send", {"id": "talk", "text": "once", "request": "send"}
        yield "freeze", {"id": "task"}
        yield "thaw", {"id": "task"}
        yield "seen", {"id": "task"}
        yield "update", {"id": "task", "labels": {"a": "b"}}
        yield "stop", {"id": self.task("stopped")}
        yield "kill", {"id": self.task("killed")}
        yield "rm", {"id": self.over("removed")}
        yield "apply", self.plan("applied") | {"request": "apply"}
        yield "delete", {"id": "applied"}
        yield "quest_run", self.quest("another") | {"request": "quest_run"}
        yield "quest_cancel", {"id": "another"}
        begun = self.quest("begun")
        yield "ritual_create", {"name": "new", "schedule": NEVER, "quest": begun, "request": "ritual_create"}
        yield "ritual_pause", {"id": "new"}
        yield "ritual_resume", {"id": "new"}
        yield "ritual_run", {"id": "new", "request": "ritual_run"}
        yield "ritual_delete", {"id": "new"}
        yield "trust", {"cwd": self.code.folder, "env": om.environment}
        yield "push", {"id": self.worker("worker")}
        yield "prune", {}

    def stored(self):
        """Everything in the database."""
        with contextlib.closing(sqlite3.connect(f"file:{self.om.path('state.db')}?mode=ro", uri=True)) as database:
            return list(database.iterdump())

    def there(self):
        """What there is of everything that a second time might make, or take away."""
        lists = {name: self.om.api(name) for name in ("quests", "rituals", "plans")}
        return {
            "missions": {row["id"] for row in self.om.api("ps", all=True)},
            "messages": [one["text"] for one in self.om.api("messages", id="talk")],
            "pushed": self.code.git("for-each-ref", "--format=%(refname) %(objectname)"),
            **{name: [row["id"] for row in rows] for name, rows in lists.items()},
        }


def answered(om, command, args):
    """Ask, and read to the end of a stream; the code of the refusal, or None."""
    with RawSocket.connect(om.home) as api:
        line = api.request(command, **args)
        told = answers(TABLE[command].handle)
        if told.items and told.always:
            while "end" not in line and "error" not in line:
                line = api.read_line()
        return line.get("error")


def test_each_reading_is_tried():
    assert set(READINGS) == {row.name for row in REQUESTS if row.danger is Danger.NONE}


def test_what_is_no_change_changes_nothing(om):
    world = World(om)
    before = world.stored()
    for command, args in READINGS.items():
        error = answered(om, command, args)
        assert error is None or (command, error) == ("result", "not_finished")
        assert world.stored() == before, command


def test_what_may_be_repeated_is_as_once(om):
    world = World(om)
    tried = set()
    for command, args in world.changes():
        assert answered(om, command, args) is None, command
        before = world.there()
        meant = SAY_SO.get(command, {None, *OPERATIONS[command].already_done})
        assert answered(om, command, args) in meant, command
        assert world.there() == before, command
        tried.add(command)
    assert tried == {row.name for row in REQUESTS if row.repeatable and row.danger is not Danger.NONE}
