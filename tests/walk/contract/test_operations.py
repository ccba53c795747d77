"""What the table of operations claims, tried on a daemon: who changes or ends something, and what may be repeated.

Who may not ask is tried in tests/orchestration/test_callers.py.
"""

from __future__ import annotations

import contextlib
import sqlite3
from functools import partial

from overmind_core.daemon.routes import TABLE
from overmind_core.domain.operation import Danger
from overmind_core.domain.operations import OPERATIONS, REQUESTS
from overmind_core.domain.specs.spec import PhaseName
from scripts.reference.answer_types import answers
from tests.contract.golden_refusals import WITH_A_CORTEX, WITH_A_SWARM
from tests.contract.test_operations import READINGS
from tests.kit import claude
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.spec_documents import WHOLE, checked, write_documents, write_files
from tests.kit.waiting import eventually

NEVER = "0 0 29 2 *"
SAY_SO = {"freeze": {"paused"}, "thaw": {"not_running"}, "web_revoke": {"not_found"}}
"""A repeat that is refused, by a sentence that says how it is: as it should be."""
NOT_TRIED = {"answer", "attach", "detach", "hook", "interrupt", "keys", "used"}
"""What goes on between a person, or an agent, and a terminal: it ends no work, and is not repeated."""


class World:
    """A home in which something of everything is there, and nothing goes on."""

    def __init__(self, om):
        self.om = om
        om.environment |= AUTHOR
        claude.at_hand(om, om.path("agents"))
        self.code = Repository(om.path("code"))
        self.code.commit("first", {".overmind.yml": "isolation: {}\n"})
        self.code.git("init", "-q", "--bare", om.path("remote"))
        self.code.git("remote", "add", "origin", om.path("remote"))
        self.at = {"cwd": self.code.folder, "env": om.environment, "isolate": False}
        om.ok("start")
        self.task("task")
        self.over("ended")
        self.task("talk", "exec cat", type="session")
        om.api("send", id="talk", text="hello")
        eventually(lambda: "hello" in om.logs("talk"), what="what it was sent")
        claude.greeted(om, "planner")
        om.api("apply", **self.plan("plan"))
        om.api("quest_run", **self.quest("quest"))
        om.api("quest_run", **self.quest("done", "true"))
        self.ritual("ritual")
        documents = WHOLE | {PhaseName.TASKS: checked("true")}
        write_files(om.path("plain"))
        write_documents(om.path("plain", ".overmind", "specs", "carts"), documents)
        om.api("remember", text="the tests need redis", key="kept", scope="global")
        om.api("memory_reindex")  # else the spelling of its words is written in some quiet moment
        om.api("spec_new", **self.spec("Carts"), folder=".overmind/specs/carts", gates="none", allow=["Bash(true)"])
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
        """The name of one that has ended, with a branch, and with work that is not committed."""
        work = "echo x > $OVERMIND_MISSION_ID; git add .; git commit -qm new; echo y > more"
        self.om.wait_status(self.task(name, work, isolate=True), "stopped")
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

    def spec(self, title):
        """A spec, to be created."""
        return {"title": title, "command": "true", "cwd": self.om.path("plain"), "env": self.om.environment}

    def redefinition(self, name):
        """A definition without labels, to be given to a mission."""
        found = self.om.api("definition", id=name)
        return {"id": name, "as_of": found["as_of"], "definition": {**found["definition"], "labels": {}}}

    def changes(self):
        """Each change, with arguments: what it is about is made when it is its turn."""
        om = self.om
        yield "run", {"command": "exec sleep 1000", "request": "run", **self.at}
        yield "send", {"id": "talk", "text": "once", "request": "send"}
        yield "fork", {"id": "planner", "request": "fork"}
        yield "freeze", {"id": "task"}
        yield "thaw", {"id": "task"}
        yield "seen", {"id": "task"}
        yield "update", {"id": "task", "labels": {"a": "b"}}
        yield "redefine", self.redefinition("task")
        yield "signal", {"id": self.task("signalled"), "signal": "TERM"}
        yield "restart", {"id": self.task("restarted")}
        yield "stop", {"id": self.task("stopped")}
        yield "kill", {"id": self.task("killed")}
        yield "rm", {"id": self.over("removed")}
        yield "apply", self.plan("applied") | {"request": "apply"}
        yield "delete", {"id": "applied"}
        yield "quest_run", self.quest("another") | {"request": "quest_run"}
        yield "quest_cancel", {"id": "another"}
        at = {"cwd": self.code.folder, "env": om.environment}
        added = {"title": "Added", "command": "true", "needs": ["quest"], "isolate": False}
        yield "quest_add", {"quests": [added], "request": "quest_add", **at}
        yield "quest_edit", {"id": "added", "priority": "high"}
        om.ok("quest", "cancel", "added")
        yield "quest_retry", {"id": "added"}
        yield "queue_set", {"slots": 2}
        yield from self.changes_of_notes()
        yield "report", {"kind": "idea", "text": "Cache the index.", "request": "report"}
        yield "spec_new", self.spec("Another") | {"request": "spec_new"}
        yield "spec_archive", {"id": "another"}
        yield "spec_forget", {"id": "another"}
        yield "spec_accept", {"id": "carts"}
        om.api("queue_set", paused=True)
        yield "spec_sync", {"id": "carts"}
        yield "spec_run", {"id": "carts"}
        begun = self.quest("begun")
        yield "ritual_create", {"name": "new", "schedule": NEVER, "quest": begun, "request": "ritual_create"}
        yield "ritual_pause", {"id": "new"}
        yield "ritual_resume", {"id": "new"}
        yield "ritual_run", {"id": "new", "request": "ritual_run"}
        yield "ritual_delete", {"id": "new"}
        yield from self.changes_of_logins()
        yield "trust", {"cwd": self.code.folder, "env": om.environment}
        yield "push", {"id": self.worker("worker")}
        yield "commit", {"id": "worker", "message": "the rest"}
        yield "merge", {"id": "worker", "request": "merge"}
        yield "worktrees_prune", {}
        yield "discard", {"id": self.worker("another"), "force": True}
        yield "prune", {}
        yield "shutdown", {}

    def changes_of_notes(self):
        """The same of notes."""
        yield "remember", {"text": "new", "scope": "global", "request": "remember"}
        yield "note_set", {"note": "kept", "change": "pin"}
        yield "outcome", {"notes": ["kept"], "helped": True}
        yield "memory_import", {"files": [{"file": "a.md", "text": "+++\n+++\n\nx\n"}], "cwd": self.code.folder}
        yield "memory_reindex", {}
        yield "memory_set", {"on": False}
        yield "memory_connect", {}
        yield "forget", {"notes": ["kept"]}

    def changes_of_logins(self):
        """The same of who may use the web server."""
        yield "web_link", {"name": "phone"}
        yield "web_login", {"link": self.om.api("web_link")["link"]}
        yield "web_token", {"name": "script"}
        yield "web_check", {"token": self.om.api("web_token", name="another")["token"]}
        yield "web_revoke", {"name": "script"}

    def stored(self):
        """Everything in the databases."""
        return [line for name in ("state.db", "memory.db") for line in self._dump(self.om.path(name))]

    def _dump(self, path):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return list(database.iterdump())

    def work(self):
        """All that somebody could lose: what runs, and what is kept."""
        try:
            rows = self.om.api("ps", all=True)
            runs = {("run", self.om.info(row["id"])["os_pid"]) for row in rows if row["ended_at"] is None}
            kept = {(kind, row["id"]) for kind in ("quests", "rituals") for row in self.om.api(kind)}
            worktrees = {("worktree", row["path"]) for row in self.om.api("worktrees")["worktrees"]}
        except (OSError, EOFError):  # nobody runs anything any more
            return set()
        return {("mission", row["id"]) for row in rows} | runs | kept | worktrees

    def lost(self, before):
        """What of it is no more."""
        return before - self.work()

    def there(self):
        """What there is of everything that a second time might make, or take away: once nothing of it is to come.

        `apply` answers once the plan is saved, before its agents are missions.
        """
        eventually(self.all_agents_have_begun, what="each agent of a live plan has its mission")
        lists = {name: self.om.api(name) for name in ("quests", "rituals", "plans")}
        return {
            "missions": {row["id"] for row in self.om.api("ps", all=True)},
            "notes": {row["id"] for row in self.om.api("notes", all=True)["notes"]},
            "messages": [one["text"] for one in self.om.api("messages", id="talk")],
            "pushed": self.code.git("for-each-ref", "--format=%(refname) %(objectname)"),
            **{name: [row["id"] for row in rows] for name, rows in lists.items()},
        }

    def all_agents_have_begun(self):
        """Whether each agent of the plans that go on is a mission."""
        live = [row["id"] for row in self.om.api("plans") if row["ended_at"] is None]
        return all(agent["mission"] for plan in live for agent in self.om.api("plan", id=plan)["agents"])


def answered(om, command, args):
    """Ask, and read to the end of a stream; the code of the refusal, or None."""
    with RawSocket.connect(om.home) as api:
        line = api.request(command, **args)
        told = answers(TABLE[command].handle)
        if told.items and told.always:
            while "end" not in line and "error" not in line:
                line = api.read_line()
        return line.get("error")


def test_what_is_no_change_changes_nothing(om):
    world = World(om)
    before = world.stored()
    for command, args in READINGS.items():
        error = answered(om, command, args)
        assert error is None or (command, error) == ("result", "not_finished")
        assert world.stored() == before, command


def test_a_change_ends_work_where_its_row_says_so_and_may_be_repeated_where_it_says_so(om):
    world = World(om)
    tried = set()
    for command, args in world.changes():
        row = OPERATIONS[command]
        before = world.work()
        assert answered(om, command, args) is None, command
        if row.danger is Danger.ENDS_WORK:
            eventually(partial(world.lost, before), what=f"{command} has ended something")
        else:
            assert world.lost(before) == set(), command
        if row.repeatable:
            found = world.there()
            assert answered(om, command, args) in SAY_SO.get(command, {None, *row.already_done}), command
            assert world.there() == found, command
        tried.add(command)
    assert (
        tried
        == {row.name for row in REQUESTS if row.danger is not Danger.NONE} - NOT_TRIED - WITH_A_CORTEX - WITH_A_SWARM
    )
    assert not [
        name for name in NOT_TRIED if OPERATIONS[name].danger is Danger.ENDS_WORK or OPERATIONS[name].repeatable
    ]
