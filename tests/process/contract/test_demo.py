"""The demonstration: alive at once, honest about what it is, and gone without a trace."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from functools import partial

import pytest

from tests.kit.overmind import PROGRAM
from tests.kit.processes import of_home
from tests.kit.terminal import Terminal
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

PARTS = {"agent", "learner", "build", "service", "worker", "shell"}
ENDS = "learner"
"""The part that is over after some seconds, and is started anew by who starts all."""
PATIENCE = 60.0


def begin(om, *words):
    """Start it; the id of each part."""
    return {row["demo"]: row["id"] for row in om.json("demo", "--json", *words)}


def question(om, need):
    """The question of this kind, once it is asked."""
    asked = lambda: [one for one in om.api("inbox") if one["need"] == need]  # noqa: E731
    return eventually(asked, timeout=PATIENCE, what=f"a question for a {need}")[0]


def ours(om):
    return [row for row in om.ps("--all") if "demo" in row["labels"]]


def test_it_starts_one_mission_of_each_kind_and_says_what_they_are_and_twice_is_once(om):
    said = om.ok("demo")
    assert [line.split("(")[1].split(")")[0] for line in said.splitlines()] == [
        "demo-agent", "demo-learner", "demo-build", "demo-service", "demo-worker", "demo-shell",
    ]  # fmt: skip
    rows = {row["labels"]["demo"]: row for row in om.ps()}
    assert set(rows) >= PARTS
    assert {row["cwd"] for row in rows.values()} == {om.path("demo", "shop")}
    again = om.json("demo", "--json")
    lasting = PARTS - {ENDS}
    assert {row["demo"]: row["id"] for row in again if row["demo"] in lasting} == {
        part: rows[part]["id"] for part in lasting
    }
    assert not any(row["started"] for row in again if row["demo"] in lasting)
    assert om.ok("demo").count("Already running") >= len(lasting)


def test_everything_is_alive_at_once_and_the_flaky_worker_is_started_again_after_each_crash(om):
    missions = begin(om)
    for part, words in (("build", "[1/4]"), ("service", "the shop opens"), ("worker", "worker starts"),
                        ("shell", "A real shell"), ("agent", "Let me look at")):  # fmt: skip
        eventually(partial(_has_said, om, missions[part], words), timeout=PATIENCE, what=part)
    worker = missions["worker"]
    eventually(lambda: om.info(worker)["restart_count"] >= 1, timeout=PATIENCE, what="a restart")
    assert om.info(worker)["runs"][0]["exit_code"] == 75
    eventually(lambda: "run 2" in om.logs(worker), timeout=PATIENCE)


def _has_said(om, mission, words):
    return words in om.logs(mission)


def test_the_agent_asks_goes_on_when_it_is_answered_and_answers_messages(om):
    agent = begin(om)["agent"]
    asked = question(om, "permission")
    assert asked["id"] == agent
    assert asked["subject"]["file_path"] == "prices.py"
    om.ok("answer", str(asked["question"]), "allow")
    choice = question(om, "question")
    assert choice["options"] == ["3.19 €", "€3.19", "EUR 3.19"]
    om.ok("answer", str(choice["question"]), "allow", "--option", "€3.19")
    assert om.ok("send", agent, "--wait", "tests").strip() == "All tests pass."
    diff = subprocess.run(["git", "diff"], cwd=om.path("demo", "shop"), capture_output=True, text=True, check=True)
    assert '+FORMAT = "€{amount}"' in diff.stdout
    assert "+    def test_cents_are_shown(self):" in diff.stdout
    info = om.info(agent)
    assert (info["cost_usd"], info["activity"]) == (0.0, "idle")


def test_what_is_denied_is_not_done_and_asked_again_on_request(om):
    agent = begin(om)["agent"]
    om.ok("answer", str(question(om, "permission")["question"]), "deny", "--message", "not today")
    eventually(lambda: "You said: not today." in om.logs(agent), timeout=PATIENCE)
    with open(om.path("demo", "shop", "prices.py"), encoding="utf-8") as file:
        assert "cents // 100" in file.read()
    om.ok("send", agent, "go on")
    assert question(om, "permission")["id"] == agent


def test_the_agent_starts_a_mission_below_itself(om):
    agent = begin(om)["agent"]
    question(om, "permission")
    children = om.ps("--children", agent)
    assert [(row["name"], row["labels"]) for row in children] == [("demo-tests", {"demo": "tests"})]
    eventually(lambda: "test_cents_are_shown failed" in om.logs("demo-tests"), timeout=PATIENCE)


def test_an_agent_that_is_killed_goes_on_with_its_question(om):
    agent = begin(om)["agent"]
    first = question(om, "permission")
    os.kill(om.pid(agent), signal.SIGKILL)
    again = eventually(
        lambda: [one for one in om.api("inbox") if one["question"] != first["question"]], timeout=PATIENCE
    )
    assert again[0]["subject"] == first["subject"]
    assert len(om.ps("--children", agent)) == 1


def test_an_interrupted_agent_takes_the_next_message(om):
    agent = begin(om)["agent"]
    question(om, "permission")
    om.ok("interrupt", agent)
    eventually(lambda: om.json("inbox", "--json") == [], what="nobody is asked any more")
    assert "`tests`" in om.ok("send", agent, "--wait", "hello")


def test_what_has_ended_is_started_anew(om):
    first = begin(om)
    om.ok("kill", first["service"])
    rows = om.json("demo", "--json")
    assert [row["demo"] for row in rows if row["started"] and row["demo"] != ENDS] == ["service"]
    assert sorted(row["name"] for row in ours(om) if row["labels"]["demo"] == "service") == ["demo-service"]


def reader(om):
    """The agent that is given a note, once it has ended."""
    over = lambda: [row for row in ours(om) if row["labels"]["demo"] == "reader" and row["status"] == "stopped"]  # noqa: E731
    return eventually(over, timeout=PATIENCE, what="the reader has ended")[0]["id"]


def notes(om):
    return om.json("notes", "--all", "--json")


@pytest.mark.own_home
def test_one_agent_learns_and_the_next_one_is_given_the_note_and_cites_it(om):
    learner = begin(om)["learner"]
    given = reader(om)
    (note,) = [one for one in notes(om) if one["state"] == "live"]
    assert (note["author"]["mission"], note["kind"], note["files"]) == (learner, "gotcha", ["stock.json"])
    assert (note["used"], note["helped"]) == (1, 1)
    assert f"  | {note['text']}\n" in om.ok("memory", "used", given)
    said = om.logs(given)
    assert f"[{note['id']}] says: {note['text']}" in said
    assert "the first time right" in said
    assert "✗" not in said


@pytest.mark.own_home
def test_stop_leaves_nothing(om):
    begin(om)
    question(om, "permission")
    reader(om)
    text = notes(om)[0]["text"].encode()
    assert om.ok("demo", "stop") == "Removed 8 demo missions\n"
    assert notes(om) == []
    for name in os.listdir(om.home):
        if name.startswith("memory.db"):
            with open(om.path(name), "rb") as file:
                assert text not in file.read()
    assert ours(om) == []
    assert not os.path.exists(om.path("demo"))
    daemons = {om.supervisor_pid(), om.keeper_pid()}
    eventually(lambda: all(str(process).split()[0].rstrip(":") in map(str, daemons) for process in of_home(om.home)))
    assert om.ok("demo", "stop") == "No demo missions here\n"


@pytest.mark.own_home
def test_stop_leaves_no_note_of_one_that_was_removed_before_and_those_of_others(om):
    mine = om.json("remember", "--scope", "global", "what I know", "--json")["id"]
    learner = begin(om)["learner"]
    reader(om)
    om.ok("rm", "-f", learner)
    assert len(notes(om)) > 1
    om.ok("demo", "stop")
    assert [note["id"] for note in notes(om)] == [mine]


@pytest.mark.own_home
def test_stop_works_after_a_crash_of_the_daemon(om):
    begin(om)
    for pid in (om.keeper_pid(), om.supervisor_pid()):
        os.kill(pid, signal.SIGKILL)
    removed = om.json("demo", "stop", "--json")
    assert {row["name"] for row in removed} >= {f"demo-{part}" for part in PARTS}
    assert ours(om) == []
    assert not os.path.exists(om.path("demo"))


@pytest.mark.own_home
def test_stop_in_a_home_without_anything_starts_no_daemon(om):
    assert om.ok("demo", "stop") == "No demo missions here\n"
    assert om.json("demo", "stop", "--json") == []
    assert not of_home(om.home)


def test_missions_that_are_named_or_labelled_alike_are_left_alone(om):
    named = om.mission("sleep 300", "--name", "demo-build")
    labelled = om.mission("sleep 300", "--label", "demo=service")
    begin(om)
    names = {row["labels"].get("demo"): row["name"] for row in om.ps() if row["id"] not in {named, labelled}}
    assert names["build"] == "demo-build-2"
    om.ok("demo", "stop")
    assert {row["id"] for row in om.ps("--all")} == {named, labelled}
    assert {row["status"] for row in om.ps()} == {"running"}


def test_a_mission_may_not_remove_it(om):
    begin(om)
    inside = om.finished([*PROGRAM, "demo", "stop"])
    assert inside["exit_code"] == 1
    assert "forbidden" in om.logs(inside["id"])
    assert {row["labels"]["demo"] for row in ours(om)} >= PARTS
    assert os.path.exists(om.path("demo"))


def test_it_needs_neither_git_nor_bash(om, tmp_path):
    (tmp_path / "sh").symlink_to(shutil.which("sh"))
    missions = begin_with(om, PATH=str(tmp_path))
    assert om.info(missions["shell"])["status"] == "running"
    assert question(om, "permission")["id"] == missions["agent"]


def begin_with(om, **env):
    return {row["demo"]: row["id"] for row in om.json("demo", "--json", env=env)}


@pytest.mark.parametrize("words", [(), ("--no-tui",)])
def test_on_a_terminal_it_opens_the_program_unless_told_otherwise(om, words):
    with Terminal(om, "demo", *words) as terminal:
        terminal.expect("Next: overmind")
        if words:
            assert terminal.end() == 0
        else:
            terminal.expect(r"\x1b\[\?1049h")
            terminal.shows("demo-worker")
            terminal.type("q")
            assert terminal.end() == 0


def test_the_demonstration_of_specs_opens_the_board_on_a_terminal(om):
    with Terminal(om, "demo", "spec") as terminal:
        terminal.expect("Next: overmind board")
        terminal.expect(r"\x1b\[\?1049h")
        terminal.shows("QUEUED(?s:.)*carts/explore")
        assert "usage:" not in terminal.shown
        terminal.type("q")
        terminal.shows("STATE|Nothing runs yet")
        terminal.type("q")
        assert terminal.end() == 0
    om.ok("demo", "spec", "stop")


def test_the_agent_talks_on_a_terminal_too_and_comes_back(om):
    agent = begin(om)["agent"]
    om.ok("answer", str(question(om, "permission")["question"]), "deny")
    with Terminal(om, "attach", agent) as terminal:
        terminal.shows("a script, not a model")
        terminal.type("hello\r")
        terminal.shows("I know only a few words")
        terminal.type("ask\r")
        terminal.shows("1. Yes")
        om.ok("answer", str(question(om, "permission")["question"]), "deny", "--message", "keep it")
        terminal.shows("You said: keep it")
        terminal.type("work\r")
        terminal.shows("part 1 of 12")
        terminal.type("\x1b")
        terminal.shows("Interrupted")
        terminal.type("\x1c")
        assert terminal.end() == 0
    om.ok("send", agent, "--queue", "tests")
    eventually(lambda: om.logs(agent).rstrip().splitlines()[-2] == "A test fails.", timeout=PATIENCE, what="an answer")
