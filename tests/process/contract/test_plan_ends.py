"""How plans end: what cleans up runs then, a kill leaves nothing behind, and what is removed goes as a whole."""

from __future__ import annotations

import os

import pytest

from tests.kit.blueprints import applied, ended, stages, written
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

CLOUD = """
    [blueprint]
    {head}
    [agents.cloud]
    command = "trap 'echo cloud >> ends; exit 0' TERM; sleep 600 & wait"
    restart = "always"
    ready = {{ exec = "true" }}
    [agents.train]
    command = "trap 'echo train >> ends; exit 0' TERM; touch up; sleep 600 & wait"
    depends_on = [{{ agent = "cloud", until = "ready" }}]
    [agents.publish]
    command = "true"
    depends_on = ["train"]
    [agents.drop]
    command = "echo drop >> ends; {work}"
    when = "always"
    depends_on = ["train", {{ agent = "cloud", until = "ready" }}]
"""
"""`drop` gives back what costs money, as long as `cloud` is there to take it."""
CLEANED = ["train", "drop", "cloud"]
CANCELLED = {"cloud": "cancelled", "train": "cancelled", "publish": "skipped", "drop": "succeeded"}


def cloud(om, folder, name, head="", work="true"):
    folder.mkdir()
    plan = applied(om, folder, CLOUD.format(head=head, work=work), name)
    eventually((folder / "up").exists)
    return plan


def ends(folder):
    return (folder / "ends").read_text().split()


def live(om):
    return sorted(row["name"] for row in om.ps() if row["ended_at"] is None)


@pytest.mark.parametrize("words", [("stop",), ("stop", "--cascade"), ("delete", "-y")], ids=" ".join)
def test_what_cleans_up_runs_when_a_plan_is_stopped_while_its_services_are_still_there(om, tmp_path, words):
    plan = cloud(om, tmp_path / "a", "a")
    om.ok(*words, plan)
    assert stages(ended(om, plan)) == CANCELLED, om.logs(plan)
    assert ends(tmp_path / "a") == CLEANED
    assert live(om) == []


def test_what_cleans_up_runs_when_the_time_of_a_plan_is_over_which_ends_with_124(om, tmp_path):
    plan = cloud(om, tmp_path / "a", "a", head='timeout = "1s"')
    assert om("wait", plan).returncode == 124
    assert stages(ended(om, plan)) == CANCELLED, om.logs(plan)
    assert ends(tmp_path / "a") == CLEANED


@pytest.mark.own_home
def test_what_cleans_up_runs_when_the_daemon_shuts_down(om, tmp_path):
    plan = cloud(om, tmp_path / "a", "a")
    om.ok("shutdown", "-y")
    assert ends(tmp_path / "a") == CLEANED
    om.ok("start")
    assert stages(ended(om, plan)) == CANCELLED


def test_a_kill_leaves_nothing_behind_and_cleans_nothing_up(om, tmp_path):
    plan = cloud(om, tmp_path / "a", "a")
    child = om.mission("sleep 600", "--parent", "a/train")
    om.ok("kill", plan)
    assert live(om) == []
    assert om.info(child)["status"] == "killed"
    assert stages(om.api("plan", id=plan))["drop"] == "skipped"
    assert not (tmp_path / "a" / "ends").exists()


def test_a_kill_ends_what_cleans_up_too(om, tmp_path):
    plan = cloud(om, tmp_path / "a", "a", work="touch at-work; sleep 600")
    stopping = om.popen("stop", plan)
    eventually((tmp_path / "a" / "at-work").exists)
    om.ok("kill", plan)
    assert live(om) == []
    stopping.communicate(timeout=20)


def test_a_plan_hands_on_the_grace_that_it_was_given(om, tmp_path):
    plan = applied(om, tmp_path, """
        [agents.stubborn]
        command = "trap '' TERM; touch up; while :; do sleep 1; done"
        grace = "600s"
    """)  # fmt: skip
    eventually((tmp_path / "up").exists)
    om.ok("stop", plan, "--grace", "0")
    assert live(om) == []


def test_an_agent_waits_before_it_is_tried_again(om, tmp_path):
    plan = applied(om, tmp_path, """
        [agents.flaky]
        command = "echo x >> tries; exit 1"
        retries = 3
        backoff = "60s"
        [agents.after]
        command = "true"
        depends_on = ["flaky"]
    """)  # fmt: skip
    found = eventually(lambda: [one for one in om.api("plan", id=plan)["agents"] if one["waits_for"] == "its next try"])
    assert found[0]["next_try_at"] is not None
    assert [(one["name"], one["stage"], one["attempt"]) for one in found] == [("flaky", "waiting", 1)]
    assert om.api("plan", id=plan)["status"] == "running"
    om.ok("stop", plan)
    assert (tmp_path / "tries").read_text() == "x\n"


def test_with_a_plan_go_its_agents(om, tmp_path):
    plan = applied(om, tmp_path, '[agents.a]\ncommand = "true"\n[agents.b]\ncommand = "true"\ndepends_on = ["a"]\n')
    ended(om, plan)
    om.ok("rm", plan)
    assert om.ps("--all") == []


def test_an_agent_of_a_live_plan_that_has_ended_is_run_again_by_its_plan_alone(om, tmp_path):
    path = written(tmp_path, """
        [agents.a]
        command = "test -e mended"
        [agents.b]
        command = "sleep 600"
    """, "one")  # fmt: skip
    plan = om.json("apply", "--json", path)["id"]
    eventually(lambda: om.api("plan", id=plan)["counts"]["failed"])
    refused = om("restart", "one/a")
    assert refused.returncode == 1
    assert f"Run it again with: overmind apply {os.path.realpath(path)} --name one --rerun failed" in refused.stderr
    assert om.info("one/a")["status"] == "crashed"
    om.ok("restart", "one/b")
    om.ok("kill", plan)
    om.ok("restart", "one/a")
