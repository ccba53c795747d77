"""What tests say in a daemon's name has the form of what a real one says: no key that it never has, no other type."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.core.cli import test_commands as commands
from tests.core.cli.agents import test_send as sending
from tests.core.cli.agents import test_talk as talking
from tests.core.cli.isolation import test_commands as projects
from tests.core.cli.landing import test_changes as landing
from tests.house.test_answers import Json, assert_alike
from tests.kit import claude, sessions
from tests.kit.cases import Cases
from tests.kit.isolated import Project
from tests.kit.overmind import FINAL
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually
from tests.tui import test_keys as keys
from tests.tui import test_pictures as pictures
from tests.tui import test_pictures_plans as plans
from tests.tui import test_pictures_starting as starting
from tests.tui import test_pictures_tables as tables
from tests.tui import test_pictures_worktrees as worktrees

SERVICES = """\
services:
  web: { command: "echo up; exec sleep 1000", port: 3000, ready: { log: up } }
isolation: { port_range: 28000-28999 }
"""


def agent(name: str, command: str, needs: str = "", **more: Any) -> Json:
    depends = {"depends_on": [{"agent": needs}]} if needs else {}
    return {"name": name, "start": {"command": command, "cwd": "/"}, **depends, **more}


ENDED = [
    agent("fetch", "echo hello"),
    agent("broken", "echo ${agents.fetch.result}; exit 2", "fetch"),
    agent("after", "true", "broken"),
]
SERVING = [agent("server", "echo up; exec sleep 300", ready={"kind": "log", "target": "up"})]


class Answers:
    """A home in which something of everything has happened, and what its daemon tells of it."""

    def __init__(self, om, tmp_path):
        self.om = claude.at_hand(om, tmp_path)
        om.environment["PATH"] = f"{tmp_path}/bin:{om.environment['PATH']}"
        self.project = Project(om, SERVICES)
        self.planner = sessions.greeted(om, "planner")
        self._begin()

    def ask(self, cmd: str, /, **args: Any) -> Any:
        return self.om.api(cmd, **args)

    def _begin(self):
        om = self.om
        world = {"cwd": om.home, "env": om.environment}
        self.asked = sessions.asks(om, "planner", "!bash touch x")
        om.api("run", command="", type="session", provider="claude", name="rich", max_cost=20.0, **world)
        om.api("run", command="echo hi; exec sleep 300", name="task", parent=self.planner, labels={"a": "b"}, **world)
        again = {"restart": "always", "backoff": "1h"}
        om.api("run", command="exit 3", name="again", **again, **world)
        om.api("run", command="kill -9 $$", name="bad", restart="always", max_restarts=1, backoff=1, **world)
        self.isolated = self.project.run(name="isolated")
        self.plans = [
            om.api("apply", blueprint={"name": name, "agents": agents}, cwd="/", env=om.environment)["id"]
            for name, agents in (("ended", ENDED), ("serving", SERVING))
        ]
        om.api("run", command="exec sleep 300", name="late", timeout=50, **world)
        for name, check in (("good", "true"), ("poor", "false")):
            om.api("quest_run", name=name, command="true", check=check, **world)
        om.api("ritual_create", name="nightly", schedule="0 3 * * *", quest={"command": "true", **world})
        om.api("ritual_run", id="nightly")
        for name, status in (("again", "restarting"), ("bad", "crashed"), ("isolated", "running"), ("task", "running")):
            om.wait_status(name, status)
        om.api("quest_run", name="endless", command="exec sleep 300", **world)
        om.wait_status(self.plans[0], *FINAL)
        eventually(lambda: om.api("plan", id=self.plans[1])["agents"][0]["ready"], what="it is ready")
        om.wait_status("late", *FINAL)
        eventually(lambda: om.api("ritual_history", id="nightly")[-1]["ended_at"], what="the ritual has run")
        eventually(lambda: sum(one["ended_at"] is None for one in om.api("quests")) == 1, what="the quests are over")
        with open(f"{self.project.worktree_of(self.isolated)}/a.txt", "a") as file:
            file.write("more\n")

    def infos(self):
        return [self.om.info(name) for name in ("planner", "rich", "task", "again", "bad", "late", "isolated")]

    def merge(self):
        """What a look at a landing tells at its end."""
        self.om.ok("commit", "isolated", "-m", "more")
        with RawSocket.connect(self.om.home) as api:
            api.ok("merge", id=self.isolated, preview=True)
            return [line["item"] for line in itertools.takewhile(lambda line: "end" not in line, api.lines())][-1]


@pytest.fixture
def real(om, tmp_path):
    """A daemon that has something of everything to tell."""
    return Answers(om, tmp_path)


def nested(rows: list[Json], key: str) -> list[Json]:
    return [one for row in rows for one in row[key]]


def test_invented_answers_have_the_form_of_real_ones(real):
    ask = real.ask
    explained = ask("isolate", cwd=real.project.folder)
    known: Json = projects.EXPLAINED
    whole_plans = [ask("plan", id=one) for one in real.plans]
    rows = ask("ps", all=True, wide=True)
    own = {"ps": rows, "info": real.infos()}
    told: dict[str, tuple[list[Json], list[Json]]] = {
        "ps": ([*pictures.ROWS, *pictures.AGENTS, *plans.FLEET, *worktrees.FLEET, commands.ROW, sending.SESSION,
                talking.ROW], rows),
        "info": ([pictures.INFO, starting.TASK, starting.AGENT], own["info"]),
        "info.runs": (nested([pictures.INFO, starting.TASK], "runs"), nested(own["info"], "runs")),
        "events": (pictures.EVENTS, sessions.events(real.om)),
        "inbox": ([*pictures.QUESTIONS, talking.QUESTION], ask("inbox")),
        "top": (tables.TOP, ask("top")),
        "cost": ([*tables.COST, talking.costs("a1b2c3d4", 1.5, "api")], ask("cost")),
        "messages": ([talking.MESSAGE], ask("messages", id="planner")),
        "send": ([sending.QUEUED], [ask("send", id="planner", text="more")]),
        "await_message": ([sending.ANSWER], [ask("await_message", message=1)]),
        "definition": ([keys.ANSWERS["definition"]], [ask("definition", id="planner")]),
        "plans": (plans.LISTED, ask("plans")),
        "plan": (plans.PLANS, whole_plans),
        "plan.agents": (nested(plans.PLANS, "agents"), nested(whole_plans, "agents")),
        "quests": (plans.QUESTS, ask("quests")),
        "rituals": (plans.RITUALS, ask("rituals")),
        "ritual_history": (plans.RUNS, ask("ritual_history", id="nightly")),
        "worktrees": ([*worktrees.WORKTREES, landing.ROW, landing.BROKEN], ask("worktrees", sizes=True)["worktrees"]),
        "changes": ([worktrees.CHANGES], [ask("changes", id=real.isolated)]),
        "changes.files": ([*worktrees.CHANGES["files"], *landing.FILES], ask("changes", id=real.isolated)["files"]),
        "merge": ([worktrees.PREVIEW], [real.merge()]),
        "isolate": ([projects.EXPLAINED, projects.NOTHING, projects.BROKEN], [explained]),
        "isolate.ports": (known["ports"], explained["ports"]),
        "isolate.steps": (known["steps"], explained["steps"]),
    }  # fmt: skip
    cases = Cases()
    for kind, (invented, found) in told.items():
        with cases(kind):
            assert_alike(kind, invented, found)
    cases.verdict()
