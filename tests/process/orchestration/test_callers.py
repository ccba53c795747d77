"""What a process inside a mission may do: each request of the socket, asked from inside of a real one."""

from __future__ import annotations

import json
import shlex
import sys

import pytest

from tests.kit.overmind import PROGRAM
from tests.kit.raw_socket import address
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually
from tests.orchestration.test_callers import ASKED, FORBIDDEN, OK, plan

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]

ASK = """
import json, os, socket, sys, time
while not os.path.exists("questions"): time.sleep(0.02)
with open("answers.new", "w") as answers:
    for line in open("questions"):
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(30)
            one.connect(sys.argv[1])
            one.sendall(line.encode())
            answers.write(one.makefile().readline())
os.rename("answers.new", "answers")
time.sleep(600)
"""


def meant(args, ids):
    """The arguments, with ids in the place of roles."""

    def one(value):
        if isinstance(value, list):
            return [one(element) for element in value]
        return ids.get(value, value) if isinstance(value, str) else value

    return {name: one(value) for name, value in args.items()}


@pytest.mark.own_home  # its messages are counted from 1
def test_what_a_process_inside_a_mission_is_answered(agents, tmp_path):
    om, talks = agents.om, ("--type", "session", "--provider", "claude")
    om.ok("start")
    om.ok("remember", "a person's", "--key", "persons", "--scope", "global")
    caller = om.mission([sys.executable, "-c", ASK, address(om.home)], "--cwd", str(tmp_path), "--env", "SECRET=x1y2z3")
    (tmp_path / "author").write_text("".join(f"{name}={value}\n" for name, value in AUTHOR.items()))
    child = om.mission([], *talks, "--parent", caller)
    grandchild = om.mission([], *talks, "--parent", child)
    other, ended = om.mission([], *talks), om.finished("true")["id"]
    ids = {"self": caller, "child": child, "grandchild": grandchild, "other": other, "ended": ended}
    ids["shell"] = om.mission(["cat"], "--type", "session", "--parent", caller)
    om.wait_status(ids["shell"], "running")
    ids |= {"quest": om.json("quest", "run", "--json", "sleep 600")["id"], "plan": plan(om)}
    ids["done"] = om.json("quest", "run", "--json", "--wait", "true")["id"]
    om.ok("ritual", "create", "nightly", "@daily", "true")
    code = Repository(str(tmp_path / "code"))
    code.commit("first", {})
    for role, options in (("stranger", ()), ("worker", ("--parent", caller))):
        isolated = ("--isolate", "--cwd", code.folder, "--env-file", str(tmp_path / "author"), *options)
        ids[role] = om.finished("echo x > new", *isolated)["id"]
    lines = [json.dumps({"cmd": command, "args": meant(args, ids)}) for command, args, _ in ASKED]
    (tmp_path / "new").write_text("\n".join(lines) + "\n")
    (tmp_path / "new").rename(tmp_path / "questions")
    eventually((tmp_path / "answers").exists, timeout=60.0, what="all answers")
    text = (tmp_path / "answers").read_text()
    answers = [json.loads(line) for line in text.splitlines()]
    judged = [(*asked[:2], answer.get("error", OK)) for asked, answer in zip(ASKED, answers, strict=True)]
    assert judged == ASKED, answers
    assert "x1y2z3" not in text
    assert om.info(other)["status"] == "running"
    assert (om.info(child)["status"], om.info(grandchild)["status"]) == ("stopped", "killed")


def test_no_process_inside_a_mission_asks_in_the_name_of_a_person(om, tmp_path):
    om.ok("start")
    caller = om.mission([sys.executable, "-c", ASK, address(om.home)], "--cwd", str(tmp_path))
    ids = {"self": caller}
    lines = [json.dumps({"cmd": command, "args": meant(args, ids), "by": "web:phone"}) for command, args, _ in ASKED]
    (tmp_path / "new").write_text("\n".join(lines) + "\n")
    (tmp_path / "new").rename(tmp_path / "questions")
    eventually((tmp_path / "answers").exists, timeout=60.0, what="all answers")
    answers = [json.loads(line) for line in (tmp_path / "answers").read_text().splitlines()]
    message = f"A process inside a mission ({caller}) may not ask in the name of a person."
    assert [(answer.get("error"), answer.get("message")) for answer in answers] == [(FORBIDDEN, message)] * len(ASKED)
    assert [event["type"] for event in om.events() if event.get("by") == "web:phone"] == []


def test_a_sender_inside_a_mission_is_named_with_its_message(agents):
    om = agents.om
    script = 'until child=$(overmind ps --children $OVERMIND_MISSION_ID -q) && [ -n "$child" ]; do sleep 0.1; done'
    caller = om.mission(f"{script}; overmind send $child hello; sleep 60")
    child = om.mission([], "--type", "session", "--provider", "claude", "--parent", caller)
    (message,) = eventually(lambda: om.json("messages", child, "--json"))
    assert message["sender"] == caller


def test_an_act_names_who_asked_for_it_and_what_happens_by_itself_names_nobody(om):
    script = f"{shlex.join(PROGRAM)} run --name child 'sleep 600' && {shlex.join(PROGRAM)} stop child; sleep 600"
    mission = om.mission(script)
    child = eventually(lambda: [row["id"] for row in om.ps("--all") if row["name"] == "child"])[0]
    om.wait_status(child, "stopped")
    om.ok("rm", child)
    om.ok("freeze", mission)
    om.ok("thaw", mission)
    om.ok("update", mission, "--name", "other")
    om.ok("kill", mission)
    natural = om.finished("exit 0", "--timeout", "60s")["id"]
    acts = {
        child: {"created": mission, "stopping": mission, "removed": "person"},
        mission: dict.fromkeys(("created", "paused", "thawed", "updated", "stopping"), "person"),
        natural: {"created": "person"},
    }
    for one, expected in acts.items():
        assert {event["type"]: event["by"] for event in om.events(mission=one) if "by" in event} == expected
