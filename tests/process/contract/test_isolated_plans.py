"""Agents of a plan that have worktrees of their own, and merging what they did as a step of it."""

from __future__ import annotations

import os

import pytest

from tests.kit.blueprints import applied, ended, stages, written
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

PROJECT = """\
isolation:
  port_range: 21200-21299
  setup: ["sleep 1000 &", "[ ! -e ~/fail ]", "until [ -e ~/go ]; do sleep 0.05; done"]
"""


@pytest.fixture
def shop(om, tmp_path):
    """A project, whose set-up lasts until it is let go."""
    shop = Repository(str(tmp_path / "shop"))
    om.environment.update({name: value for name, value in shop.environ.items() if name.startswith("GIT_")})
    shop.commit("first", {".overmind.yml": PROJECT, "a": "1\n", "b": "1\n"})
    return shop


def touch(om, name):
    with open(os.path.join(om.environment["HOME"], name), "w"):
        pass


def agent(name, command, *more):
    own = ['cwd = "shop"', "isolate = true", *more]
    return "\n".join([f"[agents.{name}]", f"command = '''{command}'''", *own]) + "\n"


PAIRS = (
    '[blueprint]\non_failure = "continue"\n'
    + agent("api", "echo $OVERMIND_BRANCH >> a; echo $PORT > $OVERMIND_OUTPUT_DIR/port", 'outputs = ["port"]')
    + agent("ui", 'test "$PORT" != ${agents.api.port}; echo ui >> b; git commit -qam "work of ui"; echo done')
    + '[agents.both]\nmerge = ["api", "ui"]\ninto = "main"\nverify = "test $(cat a b | wc -l) -gt 2"\n'
    + agent("left", "echo left > a", 'depends_on = ["both"]')
    + agent("right", "echo right > a", 'depends_on = ["both"]')
    + agent("idle", "pwd", 'depends_on = ["both"]')
    + '[agents.clash]\nmerge = ["idle", "left", "right"]\nretries = 1\n'
)


def test_what_agents_did_is_merged_in_order_and_a_conflict_is_told_and_changes_nothing(om, shop, tmp_path):
    touch(om, "go")
    om.ok("trust", shop.folder)
    plan = applied(om, tmp_path, PAIRS)

    found = ended(om, plan)
    assert stages(found) == dict.fromkeys(("api", "ui", "both", "left", "right", "idle"), "succeeded") | {
        "clash": "failed"
    }
    log = shop.git("log", "--first-parent", "--format=%s").splitlines()
    assert log == [f"Merge overmind/plan-{name} into main" for name in ("left", "ui", "api")] + ["first"]
    assert (shop.read("a"), shop.read("b"), shop.git("status", "--porcelain")) == ("left\n", "1\nui\n", "")
    merged = om.logs("both")
    assert "Committed 1 file of plan/api: plan: work of api" in merged
    assert [line.split(":")[0] for line in merged.splitlines() if line.startswith("Merged")] == [
        "Merged plan/api into main",
        "Merged plan/ui into main",
    ]
    clash = om.logs("clash")
    assert "Nothing to merge.\n" in clash
    assert "CONFLICT a: plan/right and plan/left\n" in clash
    assert next(one["reason"] for one in found["agents"] if one["name"] == "clash") == "conflicts"
    why = "left has landed, right has not: 1 file of plan/right conflicts with main. a (plan/right, plan/left)"
    assert f"--- clash: failed (conflicts: {why}. " in om.logs(plan)
    assert {one["name"] for one in om.json("worktrees", "--json")} == {
        f"plan/{name}" for name in ("api", "ui", "left", "right")
    }


def test_a_plan_whose_project_nobody_trusts_is_refused_as_a_whole(om, shop, tmp_path):
    path = written(tmp_path, f"[agents.first]\ncommand = 'true'\n{agent('own', 'true')}")

    refused = om("apply", path)
    assert refused.returncode == 1
    assert f"Trust it: overmind trust {shop.folder}" in refused.stderr
    assert om.ps("--all") == []


def test_an_agent_runs_once_it_is_prepared_and_what_can_not_be_prepared_has_failed(om, shop, tmp_path):
    om.ok("trust", shop.folder)
    text = (
        agent("own", "echo up > up; sleep 1000", """ready = { exec = "test -e up -a -n \\"$PORT\\"" }""")
        + '[agents.next]\ncommand = "true"\ndepends_on = [{ agent = "own", until = "ready" }]\n'
        + '[agents.soon]\ncommand = "true"\ndepends_on = [{ agent = "own", until = "started" }]\n'
    )
    plan = applied(om, tmp_path, text)

    def stands(name):
        return next(one for one in om.api("plan", id=plan)["agents"] if one["name"] == name)

    eventually(lambda: stands("own")["mission"], what="it is being prepared")
    assert (stands("own")["stage"], stands("own")["started_at"], stands("soon")["stage"]) == (
        "starting",
        None,
        "waiting",
    )
    om.ok("stop", plan)
    assert stages(om.api("plan", id=plan)) == {"own": "cancelled", "next": "skipped", "soon": "skipped"}
    eventually(lambda: shop.git("branch", "--list", "overmind/*") == "", what="nothing of it is left")

    touch(om, "go")
    om.ok("restart", plan)
    eventually(lambda: stands("next")["stage"] == "succeeded", what="it was ready in its worktree")
    assert (stands("own")["stage"], stands("soon")["stage"]) == ("running", "succeeded")
    om.ok("stop", plan)

    touch(om, "fail")
    om.ok("restart", plan)
    eventually(lambda: om.info(plan)["status"] == "crashed")
    assert stands("own")["reason"] == "setup_failed"
    assert "--- own: failed (setup_failed; see: overmind logs plan/own) ---" in om.logs(plan)


def test_an_agent_whose_set_up_is_just_over_does_not_begin_once_its_plan_is_stopped(om, shop, tmp_path):
    shop.commit("slow to go", {".overmind.yml": """isolation: {setup: ["trap '' HUP TERM; sleep 600 &"]}\n"""})
    om.ok("trust", shop.folder)
    plan = applied(om, tmp_path, agent("a", "touch ~/begun; sleep 600"))
    eventually(lambda: [row["status"] for row in om.ps() if row["name"] == "plan/a"] == ["stopping"])
    om.ok("stop", plan)
    assert stages(om.api("plan", id=plan)) == {"a": "cancelled"}
    assert not os.path.exists(os.path.join(om.environment["HOME"], "begun"))


def at_once(om, *requests):
    """Send requests together; their answers, in the same order, and for a refusal its code."""
    with RawSocket.connect(om.home, timeout=60.0) as api:
        for number, (command, args) in enumerate(requests):
            api.send_line({"id": number, "cmd": command, "args": args})
        lines = sorted((api.read_line() for _ in requests), key=lambda line: line["id"])
    return [line.get("ok", line.get("error")) for line in lines]


def isolated(om, shop, *commands):
    """An `apply` of a plan of isolated agents: the daemon looks at their project before it changes anything."""
    om.ok("trust", shop.folder)
    touch(om, "go")
    agents = [
        {"name": f"a{number}", "start": {"command": command, "cwd": shop.folder, "isolate": True}}
        for number, command in enumerate(commands)
    ]
    return {"blueprint": {"name": "p", "agents": agents}, "cwd": "/", "env": om.environment}


def test_a_plan_that_is_taken_down_while_a_change_of_it_is_checked_ends(om, shop):
    plan = om.api("apply", **isolated(om, shop, "exec sleep 1000"))["id"]
    change = isolated(om, shop, "exec sleep 1000", "exec sleep 2000")
    _, deleted = at_once(om, ("apply", change), ("delete", {"id": plan}))
    assert deleted["status"] == "stopped"
    assert om.info(plan)["status"] == "stopped"


@pytest.mark.parametrize(("request_key", "statuses"), [("change", {"changed"}), (None, {"changed", "unchanged"})])
def test_the_same_change_twice_at_once_is_one_change(om, shop, request_key, statuses):
    plan = om.api("apply", **isolated(om, shop, "exec sleep 1000"))["id"]
    change = isolated(om, shop, "exec sleep 2000", "exec sleep 1000") | {"request": request_key}
    assert {answer["status"] for answer in at_once(om, ("apply", change), ("apply", change))} == statuses
    assert len(om.events("plan_changed", mission=plan)) == 1


def test_what_failed_is_run_once_more_by_two_who_ask_for_it_at_once(om, shop):
    plan = om.api("apply", **isolated(om, shop, "exit 3", "exec sleep 0.01"))["id"]
    om.wait_status(plan, "crashed")
    again = isolated(om, shop, "exec sleep 1000", "exec sleep 0.01") | {"rerun": "failed"}
    statuses = {answer["status"] for answer in at_once(om, ("apply", again), ("apply", again))}
    assert statuses == {"started", "unchanged"}
    eventually(lambda: om.api("plan", id=plan)["counts"]["running"] == 1, what="what failed runs again")
    assert [agent["attempt"] for agent in om.api("plan", id=plan)["agents"]] == [2, 1]
