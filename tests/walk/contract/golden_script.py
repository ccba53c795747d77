"""What `test_goldens.py` asks a daemon: every command of the API at least once, in a world in which all can happen."""

from __future__ import annotations

import json
import os
import re
import sys

import psutil

from overmind_core.domain.specs.spec import PhaseName
from tests.contract.golden_refusals import INSIDE, NEVER, UNKNOWN
from tests.kit import claude
from tests.kit.agents import Agents
from tests.kit.overmind import FINAL
from tests.kit.processes import MARKER, with_word
from tests.kit.raw_socket import RawSocket, address
from tests.kit.recorded import Recorded, volatile_of
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.spec_documents import WHOLE, checked, write_files
from tests.kit.waiting import eventually

PORTS = (23100, 23899)
STAY = "exec sleep 1000"
PROJECT = """\
services:
  web:
    command: "[ -e ~/mute ] && { echo broken; exit 3; }; echo up at $PORT; exec sleep 1000"
    port: 3000
    ready: { log: up at }
isolation:
  port_range: 23100-23899
  copy: [.env, missing.env, pipe]
  setup: ["echo set up; [ ! -e ~/fail ]"]
"""
ASK = """
import json, socket, sys
for line in json.loads(sys.argv[2]):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(sys.argv[1])
        one.sendall(json.dumps(line).encode() + b"\\n")
        print(one.makefile().readline(), end="", flush=True)
"""


class Script:
    """One daemon, and the sections of the script, which are played in their order.

    Args:
        om: The command line in a fresh home.
        folder: Empty, for programs and repositories.
    """

    def __init__(self, om, folder):
        self.om = om
        self.folder = folder
        self.agents = Agents(om, om.path("bin"))  # paths of one length: agents pay for each word
        om.environment |= AUTHOR
        self.world = {
            name: om.environment[name]
            for name in ("PATH", "HOME", "LC_ALL", "SHELL", MARKER, *AUTHOR, *claude.environment(""))
        }
        with open(om.path("config.toml"), "w") as file:
            file.write("[notify]\ncommand = []\n")
        om.ok("start")
        self.api = Recorded(om, PORTS)
        for text, placeholder in volatile_of(om).items():
            self.api.same(text, placeholder)

    def play(self):
        for section in (
            self.daemon, self.missions, self.definitions, self.endings, self.streams, self.terminals, self.raw_sessions,
            self.agent_sessions, self.agent_tasks, self.terminal_agents, self.plans, self.quests, self.queue,
            self.rituals,
            self.isolation, self.landing, self.specs, self.notes, self.web, self.inside, self.unknown, self.leaving,
        ):  # fmt: skip
            self.api.section(section.__name__)
            section()

    # helpers

    def run(self, command, name, **how):
        """Start a mission; return its id."""
        made = self.api.ok("run", **self.start(command, name=name, **how))
        self.api.name(made["id"], made["name"])
        return made["id"]

    def quiet(self, command, name, **how):
        """The same, off the record."""
        made = self.om.api("run", **self.start(command, name=name, **how))
        self.api.name(made["id"], made["name"])
        return made["id"]

    def start(self, command, **how):
        return {"command": command, "cwd": self.om.home, "env": self.world, **how}

    def stage(self, plan, agent):
        """Where an agent of a plan stands."""
        return next(one["stage"] for one in self.om.api("plan", id=plan)["agents"] if one["name"] == agent)

    def undone(self, mission):
        """Wait until nothing is left of what was made for a mission that could not start."""
        eventually(lambda: self.om.info(mission)["isolation"]["step"] is None, what="all is undone")

    def held(self, name):
        """A command that lasts until there is a file of this name in the home."""
        return f"until [ -e {name}.go ]; do sleep 0.02; done"

    def ended(self, mission):
        return self.om.wait_status(mission, *FINAL)

    def said(self, mission, text, times=1):
        """Wait until the mission has written this, in all its runs so often."""
        eventually(lambda: self.om.logs(mission).count(text) >= times, what=text)

    def call_all(self):
        """Call all missions and runs that are there now by their names."""
        for row in self.om.api("ps", all=True):
            self.api.name(row["id"], row["name"])

    # sections

    def daemon(self):
        """Nothing runs yet."""
        self.api.ok("hello", version="0.0.0")
        self.api.ok("status")
        for command in ("ps", "top", "inbox", "plans", "quests", "rituals", "ports", "worktrees", "cost"):
            self.api.ok(command)
        self.api.refused("nosuch")
        self.api.refused("run", command="true")
        self.api.refused("run", command=7, cwd="/")

    def missions(self):
        web = self.run("echo ready; exec sleep 1000", "web", labels={"team": "shop"}, env_set={"MODE": "test"},
                       request="key")  # fmt: skip
        self.run("echo ready; exec sleep 1000", "web", request="key")
        self.said(web, "ready")
        for how in (
            {"name": "web"}, {"cwd": f"{self.om.home}/absent"}, {"provider": "nosuch"}, {"parent": "nosuch"},
            {"restart": "maybe"}, {"name": "a b"}, {"stop_signal": "NOPE"}, {"command": ""}, {"command": ["nosuch-x"]},
        ):  # fmt: skip
            self.api.refused("run", **(self.start("true") | how))
        self.quiet(STAY, "child", parent="web")
        self.api.ok("info", id="web")
        self.api.ok("info", id=web, env=True)
        self.api.ok("info", id="web", reveal=True)
        self.api.ok("ps")
        self.api.ok("ps", wide=True, label=["team=shop"])
        self.api.ok("ps", children="web")
        self.api.refused("ps", status=["nosuch"])
        self.api.ok("top")
        self.api.ok("health", ids=["web"])
        self.api.refused("health", ids=["nosuch"])
        self.api.ok("logs", ids=["web"])
        self.api.ok("freeze", id="web")
        self.api.refused("freeze", id="web")
        self.api.ok("thaw", id="web")
        self.api.refused("thaw", id="web")
        self.api.ok("signal", id="web", signal="WINCH")
        self.api.refused("signal", id="web", signal="NOPE")
        self.api.refused("rm", id="web")
        self.api.ok("status")
        self.api.ok("restart", id="web")
        self.said(web, "ready", times=2)  # what its second run wrote last is what is shown of it from here on
        self.api.ok("restart", lost=True, dry_run=True)
        self.api.ok("stop", id="web", cascade=True)
        self.api.refused("stop", id="web")
        self.api.refused("signal", id="web", signal="HUP")
        self.api.ok("info", id="web")

    def definitions(self):
        self.quiet(STAY, "defined")
        self.api.ok("update", id="defined", name="renamed", labels={"a": "b"}, restart="on-failure", timeout="1h")
        self.api.refused("update", id="renamed", restart="maybe")
        found = self.api.ok("definition", id="renamed")
        changed = {**found["definition"], "command": "echo other", "labels": {}} if "definition" in found else found
        self.api.ok("redefine", id="renamed", as_of=found["as_of"], definition=changed)
        self.api.refused("redefine", id="renamed", as_of=found["as_of"], definition=changed)
        self.api.ok("environment", id="renamed")
        self.om.api("kill", id="renamed")

    def endings(self):
        failing = self.run("exit 3", "failing", restart="on-failure", max_restarts=1, backoff=1)
        self.ended(failing)
        self.api.ok("logs", ids=["failing"])
        self.api.ok("info", id="failing")
        slow = self.quiet("exec sleep 1000", "slow", timeout="50ms", grace=0)
        self.ended(slow)
        self.api.ok("info", id="slow")
        self.quiet(STAY, "doomed")
        self.api.ok("kill", id="doomed")
        self.api.ok("kill", id="slow")
        self.quiet("exit 1", "waiting", restart="on-failure", backoff="1h")
        self.om.wait_status("waiting", "restarting")
        self.api.ok("stop", id="waiting")
        gone = self.folder + "/gone"
        os.mkdir(gone)
        never = self.quiet("rmdir $PWD; exit 1", "unstartable", cwd=gone, restart="on-failure", backoff=1)
        self.ended(never)
        self.api.ok("kill", all=True)
        self.api.refused("kill")
        self.api.ok("rm", id="doomed")
        self.api.ok("prune", dry_run=True, older="1h")
        self.api.ok("ps", all=True, wide=True)
        self.api.refused("prune", older="soon")
        self.api.ok("prune")
        self.api.ok("ps", all=True)

    def streams(self):
        newest = list(self.om.ndjson("events"))[-1]["seq"]
        self.api.stream("events", since=newest, follow=True, eyes=True, then={1: self._use_and_run},
                        until=lambda frame: frame.get("item", {}).get("type") == "stopped")  # fmt: skip
        self.api.stream("events", since=newest)
        self.api.stream("subscribe", ids=["brief"], from_start=True)
        self.api.stream("wait", ids=["brief"])
        self.api.stream("wait", ids=["brief"], any=True)
        self.api.stream("figures", ids=["brief"])
        self.api.stream("figures", ids=["nosuch"], known=True, every=1)
        self.api.refused("figures", ids=["brief"], every=0.1)
        self.quiet("read line; echo $line", "followed", type="session")
        self.api.stream(
            "logs", ids=["followed"], follow=True, only=_is_no_growth,
            then={1: lambda: self.om.api("send", id="followed", text="go")}, until=_is_end_of_run,
        )  # fmt: skip

    def _use_and_run(self):
        self.quiet("echo one; echo two >&2", "brief")

    def terminals(self):
        self.quiet(STAY, "screened", columns=100, rows=30)
        self.api.stream("attach", id="screened", columns=90, rows=20, read_only=True,
                        then={2: lambda: self.api.ok("detach", id="screened")})  # fmt: skip
        self.api.refused("detach", id="screened")
        self.quiet(STAY, "piped", tty=False)
        self.api.refused("attach", id="piped")
        with RawSocket.connect(self.om.home) as viewer:
            number = viewer.ok("events", follow=True, eyes=True)["viewer"]
            self.api.ok("used", viewer=number, ago=1, view="screened")
        self.om.api("kill", id="piped")
        self.om.api("kill", id="screened")
        self.api.refused("attach", id="screened")

    def raw_sessions(self):
        self.quiet("cat", "cat", type="session")
        self.api.ok("send", id="cat", text="hello")
        self.api.ok("keys", id="cat", text="bye", keys=["Enter"])
        self.api.refused("result", id="cat")
        self.api.refused("interrupt", id="screened")
        self.om.api("kill", id="cat")
        self.api.refused("send", id="cat", text="hello")

    def agent_sessions(self):
        planner = self.run([], "planner", type="session", provider="claude",
                           agent={"prompt": "hello", "permission_mode": "default"}, max_cost=5)  # fmt: skip
        self.agents.doing(planner, "idle")
        self.api.ok("info", id="planner")
        self.api.ok("result", id="planner")
        sent = self.api.ok("send", id="planner", text="one", request="first")
        self.api.ok("await_message", message=sent["message"])
        self.api.ok("send", id="planner", text="one", request="first")
        asking = self.api.ok("send", id="planner", text=_bash("touch made"))
        self.agents.asked(planner)
        self.api.ok("await_message", message=asking["message"], until="delivered")
        queued = self.api.ok("send", id="planner", text="never")
        self.api.ok("messages", id="planner")
        self.api.ok("messages", id="planner", cancel=queued["message"])
        self.api.refused("messages", id="planner", cancel=queued["message"])
        self.api.ok("ps")
        (asked,) = self.api.ok("inbox")
        self.api.refused("answer", question=asked["question"], behaviour="perhaps")
        self.api.ok("answer", question=asked["question"], behaviour="always")
        self.api.refused("answer", question=asked["question"], behaviour="allow")
        self.api.ok("await_message", message=asking["message"])
        self.agents.answer(self.agents.post(planner, _bash("touch made")))
        self.agents.post(planner, "!question")
        self.agents.asked(planner)
        self.api.refused("answer", id="planner", behaviour="allow")
        self.api.ok("inbox")
        self.api.ok("answer", id="planner", behaviour="allow", options=["Red"])
        self.agents.doing(planner, "idle")
        gate = self.agents.gate()
        self.om.api("redefine", **self._allowing("planner", "Bash"))
        self.om.api("restart", id="planner")
        self.agents.doing(planner, "idle")
        self.agents.post(planner, gate.prompt)
        gate.runs()
        self.api.ok("interrupt", id="planner")
        self.agents.doing(planner, "idle")
        self.api.ok("interrupt", id="planner")
        self.api.ok("seen", id="planner")
        self.api.ok("messages", id="planner")
        self.api.ok("fork", id="planner", at=sent["message"], request="forked")
        self.api.ok("fork", id="planner", at=sent["message"], request="forked")
        self.api.refused("fork", id="planner", at=queued["message"])
        self.api.ok("cost")
        self.api.ok("cost", by="label", since="2020-01-01T00:00:00Z")
        self.api.refused("cost", since="yesterday")
        self.om.api("stop", id="planner")
        self.api.refused("send", id="planner", text="too late")
        known = {"id": self.api.ok("info", id="planner")["session_id"], "said": ["[before] [human] hello"]}
        self.agents.doing(self.run([], "adopted", type="session", provider="claude", conversation=known), "idle")
        self.api.refused("restart", id="planner")
        self.om.api("stop", id="adopted")

    def _allowing(self, name, tool):
        found = self.om.api("definition", id=name)
        terms = found["definition"]
        terms["agent"]["allowed_tools"] = [tool]
        return {"id": name, "as_of": found["as_of"], "definition": terms}

    def agent_tasks(self):
        task = self.run("do it", "writer", provider="claude", max_cost=0.06)
        self.api.stream("wait", ids=["writer"])
        self.api.ok("result", id="writer")
        self.api.stream("subscribe", ids=[task], from_start=True, only=lambda frame: "end" in frame or "ok" in frame)
        failed = self.quiet("!error 500", "unlucky", provider="claude")
        self.ended(failed)
        self.api.ok("result", id="unlucky")
        pipe = self.om.path("held")
        os.mkfifo(pipe)
        again = self.quiet([], "again", type="session", provider="claude", restart="always", backoff=1,
                           agent={"allowed_tools": ["Bash"]})  # fmt: skip
        self.agents.doing(again, "idle")
        message = self.agents.post(again, f"!bash cat {pipe}")
        eventually(lambda: with_word(pipe), what="its tool runs")
        self.agents.kill(again)
        self.agents.again(again)
        with open(pipe, "w") as file:
            file.write("through")
        self.agents.answer(message)
        crashing = self.agents.post(again, "!error 500")
        self.agents.answer(crashing)
        self.api.ok("messages", id="again")
        self.om.api("kill", id="again")

    def terminal_agents(self):
        """An agent in its own full-screen program: its hooks tell what it does and asks."""
        claude.settle(self.om, self.om.home)
        person = self.quiet([], "person", type="session", provider="claude", interactive=True,
                            agent={"permission_mode": "default"})  # fmt: skip
        self.agents.doing(person, "idle")
        self.api.ok("info", id="person")
        token = _token(self.om.pid(person))
        self.api.same(token, "<token>")
        payload = {"hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {"command": "ls /"},
                   "session_id": self.om.info(person)["session_id"]}  # fmt: skip
        proof = {"mission": person, "token": token}
        self.api.stream("hook", **proof, payload=payload, then={1: lambda: self._answer(person)})
        self.api.stream("hook", **proof, payload={"hook_event_name": "Notification"})
        self.api.refused("hook", mission=person, token="guessed", payload=payload)
        self.om.api("kill", id="person")

    def _answer(self, mission):
        self.agents.asked(mission)
        self.api.ok("inbox")
        self.api.ok("answer", id=mission, behaviour="deny", message="not now")

    def plans(self):
        def agent(name, command, *after, **how):
            waits = [{"agent": one, "until": until} for one, until in after]
            return {"name": name, "start": {"command": command, "cwd": self.om.home}, "depends_on": waits, **how}

        server = agent("server", "echo up; exec sleep 1000", ready={"kind": "log", "target": "up"})
        server["start"]["restart"] = "always"
        build = agent(
            "build",
            'echo three facts > "$OVERMIND_OUTPUT_DIR/facts"',
            ("server", "ready"),
            outputs=["facts"],
        )
        hold = agent("hold", f"until [ -e {self.folder}/go ]; do sleep 0.02; done; test -e {self.folder}/good",
                     ("server", "ready"), ("build", "success"), retries=1)  # fmt: skip
        after = agent("after", "echo after", ("hold", "success"))
        asked = {"cwd": self.om.home, "env": self.world}
        plan = {"name": "site", "on_failure": "continue"}
        first = plan | {"agents": [server, build, hold]}
        self.api.ok("apply", **asked, blueprint=first, dry_run=True)
        made = self.api.ok("apply", **asked, blueprint=first, request="once")
        self.api.name(made["id"], "site")
        eventually(lambda: self.stage("site", "hold") == "running", what="it holds")
        self.api.ok("apply", **asked, blueprint=first, request="once")
        self.api.ok("apply", **asked, blueprint=plan | {"agents": [server, build, hold, after]}, dry_run=True)
        self.api.ok("apply", **asked, blueprint=plan | {"agents": [server, build, hold, after]})
        self.api.refused("apply", **asked, blueprint={"name": "site"})
        self.api.refused("apply", **asked, blueprint=plan | {"agents": []}, rerun="failed")
        self.call_all()
        self.api.ok("plans")
        self.api.ok("plan", id="site")
        _touch(self.folder + "/go")
        self.ended("site")
        self.call_all()
        self.api.ok("plan", id="site")
        self.api.ok("logs", ids=["site"])
        _touch(self.folder + "/good")
        again = self.api.ok("apply", **asked, blueprint=plan | {"agents": [server, build, hold, after]}, rerun="failed")
        self.ended(again["id"])
        self.call_all()
        self.api.ok("plan", id="site")
        self.quiet("true", "no-plan")
        self.api.refused("plan", id="no-plan")
        other = self.om.api("apply", **asked, blueprint={"name": "other", "agents": [agent("stays", STAY)]})
        self.api.name(other["id"], "other")
        eventually(lambda: self.stage("other", "stays") == "running", what="it stays")
        self.call_all()
        self.api.ok("delete", id="other")
        self.api.ok("delete", id="other")
        self.api.refused("delete", id="no-plan")

    def quests(self):
        done = self.api.ok("quest_run", **self.start(self.held("docs"), name="docs", check="test 1 -eq 1", retries=2))
        self.api.name(done["id"], "docs")
        _touch(self.om.path("docs.go"))
        self.api.stream("quest_wait", ids=["docs"])
        self.api.ok("quest", id="docs")
        checked = self.start(self.held("checked"), name="checked", check="exit 7", retries=1, backoff=1)
        failed = self.om.api("quest_run", **checked)
        self.api.name(failed["id"], "checked")
        _touch(self.om.path("checked.go"))
        self.api.stream("quest_wait", ids=["checked"], any=True)
        self.api.ok("quest", id="checked")
        endless = self.om.api("quest_run", **self.start(STAY, name="endless"))
        self.api.name(endless["id"], "endless")
        self.api.ok("quest", id="endless")
        self.api.ok("quest_cancel", id="endless")
        self.api.ok("quests")
        self.api.ok("quests", status=["failed"], limit=1)
        self.api.refused("quests", status=["lost"])
        self.api.refused("quest_run", **self.start("true", restart="always"))
        self.api.refused("quest_run", **self.start("true", check=" "))
        self.api.refused("quest_cancel", id="docs")

    def queue(self):
        at = {"cwd": self.om.path(), "env": self.om.environment}
        self.api.ok("queue_set", slots=1)
        first = {"title": "First thing", "command": self.held("first"), "ref": "a", "owns": ["src/**"]}
        second = {"title": "Second thing", "command": "true", "needs": ["a"], "priority": "high", "brief": "Do it."}
        added = self.api.ok("quest_add", quests=[first, second], request="golden", **at)
        for one in added["quests"]:
            self.api.name(one["id"], one["name"])
        eventually(lambda: self.om.api("quest", id="first-thing")["mission_status"] == "running", what="it runs")
        self.api.ok("quest", id="second-thing")
        self.api.ok("quest_why", id="second-thing")
        self.api.ok("queue")
        self.api.ok("board", limit=5)
        self.api.refused("quest_add", quests=[{"title": "Third", "command": "true", "needs": ["nosuch"]}], **at)
        self.api.refused("quest_edit", id="first-thing", title="Another")
        self.api.refused("logs", ids=["second-thing"])
        self.api.ok("quest_edit", id="second-thing", priority="low")
        self.api.ok("queue_set", paused=True)
        _touch(self.om.path("first.go"))
        self.api.stream("quest_wait", ids=["first-thing"])
        self.api.ok("quest_cancel", id="second-thing")
        self.api.stream("report", kind="idea", text="Cache the index.", request="idea")
        self.api.ok("quest_retry", id="second-thing", message="Once more.")
        self.api.ok("queue_set", paused=False)
        self.api.stream("quest_wait", ids=["second-thing"])
        self.api.ok("quest", id="second-thing")
        self._lesson(at)

    def _lesson(self, at):
        command = 'test "$OVERMIND_ATTEMPT" -gt 1 || { echo "no such table: carts"; exit 1; }'
        quest = {"title": "Taught", "command": command, "isolate": False, "retries": 1, "group": "api"}
        code = Repository(os.path.join(self.folder, "taught"))
        code.commit("first", {"a": "1\n"})
        code.git("remote", "add", "origin", "https://example.org/team/taught.git")
        (made,) = self.api.ok("quest_add", quests=[quest], **(at | {"cwd": code.folder}))["quests"]
        self.api.name(made["id"], made["name"])
        self.api.stream("quest_wait", ids=["taught"])
        (lesson,) = eventually(lambda: self.om.events("note", mission=made["id"]), what="a lesson")
        self.api.same(lesson["note"], "<lesson>")
        self.api.ok("timeline", id="taught")
        self.api.ok("learn", by="type")
        self.api.ok("notes", kind="lesson", proposed=True, cwd=code.folder)

    def specs(self):
        books = Repository(os.path.join(self.folder, "books"))
        write_files(books.folder)
        books.commit("first", {})
        documents = self.om.path("documents")
        os.mkdir(documents)
        for phase, value in {**WHOLE, PhaseName.TASKS: checked("true")}.items():
            with open(os.path.join(documents, f"{phase}.json"), "w") as file:
                json.dump(value, file)
        agent = f"""\
if [ -n "$OVERMIND_PHASE" ]; then cp {documents}/$OVERMIND_PHASE.json "$OVERMIND_OUTPUT_DIR"
else echo > "shop/$OVERMIND_TASK"; fi"""
        how = {"command": agent, "cwd": books.folder, "env": self.world, "brief": "Visitors want carts."}
        made = self.api.ok("spec_new", title="Carts", request="carts", **how)
        self.api.name(made["id"], "carts")
        self.api.refused("spec_new", title="Carts", gates="all,nosuch", **how)
        self.api.refused("spec_sync", id="carts")
        begun = self.api.ok("spec_run", id="carts", threshold=0.8)
        self.api.stream("spec_wait", id="carts", known=begun["ended"], until=_asks)
        self.api.ok("spec", id="carts")
        self.om.ok("answer", "carts", "allow")
        self.api.stream("spec_wait", id="carts", until=_asks, only=lambda frame: _what(frame) != "phase")
        self.api.ok("spec_sync", id="carts")
        self.api.ok("specs")
        self.om.ok("answer", "carts", "allow")
        self.api.stream("spec_wait", id="carts", only=lambda frame: _what(frame) in {None, "state"})
        self.api.ok("spec_run", id="carts")
        books.write({"shop/app.py": "changed\n"})
        self.api.ok("spec_accept", id="carts")
        self.api.ok("spec_archive", id="carts")
        self.api.refused("spec_run", id="carts")
        self.api.ok("spec_archive", id="carts", undo=True, env=self.world)
        self.api.refused("spec_forget", id="carts")
        self.api.ok("spec_archive", id="carts")
        self.api.ok("spec_forget", id="carts")

    def notes(self):
        shelf = Repository(os.path.join(self.folder, "shelf"))
        shelf.git("remote", "add", "origin", "https://example.org/team/shelf.git")
        at = {"cwd": shelf.folder}
        first = {"text": "The tests need redis.", "kind": "gotcha", "tags": ["tests"], "request": "note"}
        made = self.api.ok("remember", **first, **at)
        self.api.same(made["id"], "<note>")
        self.api.ok("remember", text="The tests  need\nredis.", **at)
        self.api.ok("remember", text="We chose Postgres.", key="db", pin=True, **at)
        self.api.same(self.om.api("note", note="db", **at)["id"], "<db>")
        self.api.ok("recall", questions=["why redsi?"], **at)
        self.api.ok("search", words="redis", literal=True, **at)
        self.api.ok("notes", **at)
        self.api.ok("note", note="db", history=True, **at)
        self.api.ok("note_set", note="db", change="edit", text="We chose SQLite.", **at)
        self.api.ok("note_set", note="db", change="unpin", **at)
        self.api.refused("note_set", note="db", change="burn", **at)
        self.api.ok("outcome", notes=["db"], helped=True, why="at once", **at)
        self.api.ok("forget", notes=["db"], **at)
        self.api.refused("note", note="db", **at)
        files = [{"file": "a.md", "text": "+++\n+++\n\nFrom a file.\n"}, {"file": "b.md", "text": "plain"}]
        self.api.ok("memory_import", files=files, dry_run=True, **at)
        self.api.ok("memory_reindex")
        self.api.ok("memory_set", on=False)
        self.api.ok("memory", **at)
        self.api.ok("memory_set", on=True)
        self.api.ok("memory_used", mission="planner")
        self.api.refused("memory_share", **at)
        self.api.ok("memory_connect")
        self.api.refused("memory_sync")

    def rituals(self):
        quest = self.start(self.held("ritual"), labels={"a": "b"})
        made = self.api.ok("ritual_create", name="nightly", schedule=NEVER, zone="UTC", quest=quest, keep=3)
        self.api.name(made["id"], "nightly")
        for how in ({"schedule": "61 * * * *"}, {"zone": "Mars/Olympus"}, {"name": "nightly"}, {"quest": None}):
            asked = {"name": "x", "schedule": NEVER, "quest": quest}
            self.api.refused("ritual_create", **(asked | how))
        run = self.api.ok("ritual_run", id="nightly")
        self.api.name(run["id"], run["name"])
        _touch(self.om.path("ritual.go"))
        self.om.ok("quest", "wait", run["id"])
        eventually(lambda: self.om.api("ritual_history", id="nightly")[0]["status"] == "completed")
        self.api.ok("ritual_history", id="nightly")
        self.api.ok("ritual", id="nightly")
        self.api.ok("ritual_pause", id="nightly")
        self.api.ok("rituals")
        self.api.ok("ritual_resume", id="nightly")
        self.api.ok("ritual_delete", id="nightly")
        self.api.ok("rituals")

    def isolation(self):
        shop = Repository(os.path.join(self.folder, "shop"))
        shop.commit(
            "first", {".overmind.yml": PROJECT, ".gitignore": ".env\npipe\n.overmind\n", "a": "1\n", "b": "1\n"}
        )
        shop.write({".env": "KEY=1\n"})
        os.mkfifo(shop.path("pipe"))
        bare = os.path.join(self.folder, "bare.git")
        shop.git("init", "-q", "--bare", bare)
        shop.git("remote", "add", "origin", bare)
        self.shop = shop
        where = {"cwd": shop.folder, "env": self.world}
        self.api.ok("isolate", **where)
        self.api.refused("isolate", cwd=f"{self.om.home}/absent")
        self.api.refused("run", **(self.start("true") | where))
        self.api.refused("trust", **where, sha256="0" * 64)
        self.api.refused("trust", cwd=self.om.home, env=self.world)
        self.api.ok("trust", **where)
        self.api.ok("isolate", **where)
        work = "echo api > a; git add -A; git commit -qm 'work of api'; echo c > c; echo done; exec sleep 1000"
        self.run(work, "api", cwd=shop.folder)
        self.om.wait_status("api", "running")
        self.said("api", "done")
        self.call_all()
        self.api.ok("info", id="api")
        self.api.ok("ports")
        self.api.ok("worktrees", sizes=True)
        self.api.ok("changes", id="api")
        self.api.refused("commit", id="api", message=" ")
        self.api.ok("commit", id="api", message="the rest of api")
        self.api.refused("commit", id="api", message="nothing")
        self.api.refused("discard", id="api")
        self.api.ok("push", id="api")
        self.api.refused("push", id="api", remote="nosuch")
        self.om.api("stop", id="api")

    def landing(self):
        self.api.refused("discard", id="api")
        self.api.stream("merge", id="api", preview=True)
        self.api.stream("merge", id="api", into="nosuch")
        self.api.stream("merge", id="api", verify="exit 3")
        self.api.stream("merge", id="api", verify="true")
        self.api.refused("merge", id="no-plan")
        for name in ("red", "blue", "lost"):
            self.quiet(f"echo {name} > b; git add -A; git commit -qm 'work of {name}'", name, cwd=self.shop.folder)
            self.ended(name)
        self.quiet("echo MORE=2 >> .env", "odd", cwd=self.shop.folder)
        self.ended("odd")
        self.call_all()
        self.api.ok("changes", id="red")
        self.api.stream("merge", id="red", squash=True, message="red")
        self.api.stream("merge", id="blue")
        self.api.ok("worktrees", ids=["blue"])
        self.api.ok("discard", id="api")
        self.api.ok("discard", id="blue", force=True)
        self.api.refused("changes", id="blue")
        self.api.ok("worktrees_prune", dry_run=True)
        self.api.ok("worktrees_prune", force=True)
        self.api.ok("worktrees")
        agents = [{"name": "builder", "start": {"command": "echo built", "cwd": self.shop.folder, "isolate": True}}]
        plan = self.om.api("apply", cwd=self.om.home, env=self.world, blueprint={"name": "apart", "agents": agents})
        self.api.name(plan["id"], "apart")
        self.ended("apart")
        self.call_all()
        self.api.ok("plan", id="apart")
        for trouble in ("mute", "fail"):
            _touch(os.path.join(self.world["HOME"], trouble))
            mission = self.om.api("run", **self.start("true", name=trouble, cwd=self.shop.folder))["id"]
            self.ended(mission)
            self.undone(mission)
            self.call_all()
            self.api.ok("info", id=trouble)
        self.api.ok("trust", cwd=self.shop.folder, env=self.world, revoke=True)

    def web(self):
        asked = {"name": "phone", "read_only": True, "lifetime": "7d"}
        link = self.api.ok("web_link", **asked)
        self.api.same(link["link"], "<link>")
        firefox = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
        login = self.api.ok("web_login", link=link["link"], browser=firefox)
        token = self.api.ok("web_token", name="script")
        secrets = {"session": login["session"], "key": login["key"]}
        for name, secret in {**secrets, "token": token["token"]}.items():
            self.api.same(secret, f"<{name}>")
        self.api.ok("web_check", **secrets)
        self.api.ok("web_check", token=token["token"])
        self.api.refused("web_check", session=login["session"])
        self.api.refused("web_login", link=link["link"])
        self.api.refused("web_link", name="phone")
        self.api.ok("web_sessions")
        self.api.ok("web_revoke", name="phone")
        self.api.refused("web_check", **secrets)
        self.api.ok("web_revoke", all=True)

    def inside(self):
        """What a process inside of a mission is refused."""
        asked = [{"cmd": cmd, "args": args} for cmd, args in INSIDE.items()]
        line = [sys.executable, "-IS", "-c", ASK, address(self.om.home), json.dumps(asked)]
        asker = self.quiet(line, "asker", tty=False)
        self.ended(asker)
        answers = [json.loads(one) for one in self.om.logs(asker).splitlines()]
        for (cmd, args), answer in zip(INSIDE.items(), answers, strict=True):
            self.api.put(cmd, args, answer)

    def unknown(self):
        """What nobody knows, and arguments that no command has."""
        for cmd, args in UNKNOWN.items():
            self.api.refused(cmd, **args)

    def leaving(self):
        self.api.refused("shutdown", nosuch=True)
        self.quiet(STAY, "last")
        self.events = self.om.ndjson("events")
        self.api.ok("shutdown")


def _bash(command):
    return f"!ask Bash {json.dumps({'command': command})}"


def _touch(path):
    with open(path, "w"):
        pass


def _what(frame):
    return frame.get("item", {}).get("what")


def _asks(frame):
    return _what(frame) == "question"


def _is_no_growth(frame):
    return frame.get("item", {}).get("type") != "grown"


def _is_end_of_run(frame):
    return frame.get("item", {}).get("type") == "annotation"


def _token(pid):
    """What proves to the daemon that a hook is one of this process."""
    return re.findall(r"--token ([0-9a-f]+)", " ".join(psutil.Process(pid).cmdline()))[0]
