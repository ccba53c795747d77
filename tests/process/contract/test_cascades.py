"""Children of missions, and ends that take them along: behaviour 16. And who a process inside a mission is to us."""

from __future__ import annotations

import shlex

import pytest

from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]

OVERMIND = shlex.join(PROGRAM)


def family(om, depth, lock):
    """Start missions each of which starts the next one from inside, and return their ids, eldest first."""
    script = lock.wrap("sleep @")
    for _ in range(depth - 1):
        script = lock.wrap(f"{OVERMIND} run {shlex.quote(script)}; sleep @")
    eldest = om.mission(script, "--max-depth", str(depth))
    lock.grown(depth)
    rows = {row["parent"]: row["id"] for row in om.ps()}
    line = [eldest]
    while line[-1] in rows:
        line.append(rows[line[-1]])
    assert len(line) == depth
    return line


def endings(om):
    """The ids of missions that are known, in the order in which they ended."""
    ends = [event["mission"] for event in om.events("stopped", "killed", "crashed")]
    known = {row["id"] for row in om.ps("--all")}
    return [mission for mission in ends if mission in known]


# --- parents ------------------------------------------------------------------------------------------------------


def test_what_a_mission_starts_is_its_child_and_knows_its_parent(om):
    parent = om.mission(f"{OVERMIND} run 'echo parent $OVERMIND_PARENT_ID; sleep 60' && sleep 60")
    child = eventually(lambda: om.info(parent)["children"])[0]
    assert om.info(child)["parent"] == parent
    eventually(lambda: om.logs(child) == f"parent {parent}\n")


@pytest.mark.parametrize("way", ["", "setsid ", "env -u OVERMIND_MISSION_ID ", "env -u OVERMIND_MISSION_ID setsid -f "])
def test_however_it_calls_its_mission_is_the_parent(om, way):
    parent = om.mission(f"{way}{OVERMIND} run 'sleep 60'; sleep 60")
    eventually(lambda: len(om.info(parent)["children"]) == 1)


def test_without_session_parent_and_environment_the_mark_still_tells(om):
    world = f"env -i PATH=$PATH PYTHONPATH=$PYTHONPATH OVERMIND_HOME=$OVERMIND_HOME setsid -f {OVERMIND}"
    parent = om.mission(f"{world} run 'sleep 60'; sleep 60")
    eventually(lambda: len(om.info(parent)["children"]) == 1)


def test_a_parent_may_be_named_also_one_that_has_ended(om):
    ended = om.finished("true", "--name", "elder")["id"]
    assert om.info(om.mission("sleep 60", "--parent", "elder"))["parent"] == ended
    assert "nosuch" in om.refused("run", "--parent", "nosuch", "true", code="parent_not_found")


def test_a_restarted_mission_keeps_its_parent(om):
    parent = om.mission("sleep 60")
    child = om.mission("sleep 60", "--parent", parent)
    om.ok("restart", child)
    assert om.info(child)["parent"] == parent


# --- cascades -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "status"), [("stop", "stopped"), ("kill", "killed")])
def test_without_cascade_children_live_on(om, lock, command, status):
    parent, child = family(om, 2, lock)
    om.ok(command, parent)
    assert om.info(parent)["status"] == status
    assert om.info(child)["status"] == "running"
    assert lock.held()


@pytest.mark.parametrize(("command", "status"), [("stop", "stopped"), ("kill", "killed")])
def test_a_deep_family_ends_leaves_first(om, lock, command, status):
    line = family(om, 5, lock)
    said = om.ok(command, line[0], "--cascade")
    assert said == f"{'Stopped' if command == 'stop' else 'Killed'} mission {line[0]} and all children\n"
    assert not lock.held(), lock.holders()
    assert endings(om) == line[::-1]
    assert {row["status"] for row in om.ps("--all")} == {status}


def test_a_cascade_from_the_middle_leaves_the_elders_alone(om, lock):
    line = family(om, 4, lock)
    om.ok("stop", line[1], "--cascade")
    assert [om.info(one)["status"] for one in line] == ["running", "stopped", "stopped", "stopped"]


def test_a_wide_family_ends_together(om, lock):
    parent = om.mission(lock.wrap("sleep @"))
    stubborn = lock.wrap("trap '' TERM; sleep @; sleep @")
    children = [om.mission(stubborn, "--parent", parent, "--grace", "500ms") for _ in range(12)]
    lock.grown(13)
    om.ok("stop", parent, "--cascade", timeout=30)
    assert not lock.held(), lock.holders()
    assert endings(om)[-1] == parent
    assert sorted(endings(om)[:-1]) == sorted(children)


def test_a_cascade_passes_children_that_have_ended_or_wait_for_a_restart(om, lock):
    parent = om.mission(lock.wrap("sleep @"))
    ended = om.mission("exit 3", "--parent", parent)
    om.wait_status(ended, "crashed")
    grandchild = om.mission(lock.wrap("sleep @"), "--parent", ended)
    waiting = om.mission("exit 4", "--parent", parent, "--restart", "always", "--backoff", "1m")
    om.wait_status(waiting, "restarting")
    lock.grown(2)
    om.ok("stop", parent, "--cascade")
    assert not lock.held(), lock.holders()
    statuses = {one: om.info(one)["status"] for one in (parent, ended, grandchild, waiting)}
    assert statuses == {parent: "stopped", ended: "crashed", grandchild: "stopped", waiting: "stopped"}


def test_a_cascade_from_one_that_has_ended_tells_of_that_one(om, lock):
    parent, child = family(om, 2, lock)
    om.ok("stop", parent)
    assert om.ok("stop", parent, "--cascade") == f"Stopped mission {parent} and all children\n"
    assert om.info(child)["status"] == "stopped"


SPAWNER = f"while :; do {OVERMIND} run 'sleep @' >/dev/null 2>&1 & [ $((i=i+1)) -lt 150 ] || wait; sleep 0.05; done"


@pytest.mark.parametrize("command", ["stop", "kill"])
def test_no_descendant_exists_after_a_cascade_though_the_parent_goes_on_starting_them(om, lock, command):
    parent = om.mission(lock.wrap(SPAWNER.replace("'sleep @'", shlex.quote(lock.wrap("sleep @")))), "--grace", "1s")
    lock.grown(4)
    om.ok(command, parent, "--cascade")
    assert not lock.held(), lock.holders()
    assert {row["status"] for row in om.ps("--all")} <= {"stopped", "killed", "crashed"}, om.ps()
    eventually(lambda: not [row for row in om.ps("--all") if row["status"] not in {"stopped", "killed", "crashed"}])
    assert {row["parent"] for row in om.ps("--all")} == {None, parent}


def test_kill_all_also_ends_the_children_of_a_parent_that_was_killed_before(om, lock):
    parent = om.mission(lock.wrap(SPAWNER.replace("'sleep @'", shlex.quote(lock.wrap("sleep @")))))
    lock.grown(4)
    om.ok("kill", parent)
    assert lock.held()
    om.ok("kill", "--all", "-y")
    assert not lock.held(), lock.holders()
    assert not [row for row in om.ps("--all") if row["status"] != "killed"]


def test_a_mission_that_is_being_ended_gets_no_child(om, lock):
    parent = om.mission(lock.wrap("trap '' TERM; sleep @; sleep @; sleep @"), "--grace", "3s")
    lock.grown(1)
    stop = om.popen("stop", parent)
    om.wait_status(parent, "stopping")
    om.refused("run", "--parent", parent, "true", code="not_running")
    om.ok("kill", parent)
    stop.communicate(timeout=30)
    assert len(om.ps("--all")) == 1


# --- what a caller inside a mission may do ------------------------------------------------------------------------


WORLDS = {
    "plainly": "",
    "in its own session": "setsid -w ",
    "without environment": "env -i PATH=$PATH PYTHONPATH=$PYTHONPATH OVERMIND_HOME=$OVERMIND_HOME setsid -w ",
}
MAY = [
    ["run", "true"],
    ["run", "--parent", "{self}", "true"],
    ["run", "--parent", "{child}", "true"],
    ["ps", "--all"],
    ["status"],
    ["info", "{other}"],
    ["logs", "{other}"],
    ["wait", "{ended}"],
    ["top", "--once"],
    ["events"],
    ["stop", "{child}"],
    ["kill", "{grandchild}"],
]
MAY_NOT = [
    ["run", "--parent", "{other}", "true"],
    ["stop", "{other}"],
    ["stop", "{self}"],
    ["kill", "{other}"],
    ["kill", "--all", "-y"],
    ["kill", "{other}", "--cascade"],
    ["restart", "{child}"],
    ["restart", "--lost"],
    ["signal", "{child}", "HUP"],
    ["freeze", "{child}"],
    ["thaw", "{child}"],
    ["update", "{child}", "--name", "x"],
    ["rm", "{ended}"],
    ["prune", "-y"],
    ["shutdown", "-y"],
    ["shutdown", "--keep"],
    ["info", "--env", "{self}"],
    ["info", "--env", "--reveal", "{self}"],
]


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_what_a_process_inside_a_mission_may_and_may_not_do(om, tmp_path, world):
    waiting = "while [ ! -e script ]; do sleep 0.02; done; sh script; sleep 60"
    caller = om.mission(waiting, "--cwd", str(tmp_path))
    child = om.mission("sleep 60", "--parent", caller)
    grandchild = om.mission("sleep 60", "--parent", child)
    other, ended = om.mission("sleep 60"), om.finished("true")["id"]
    ids = {"self": caller, "other": other, "ended": ended, "child": child, "grandchild": grandchild}
    questions = [[word.format(**ids) for word in words] for words in MAY_NOT + MAY]
    lines = [
        f"{world}{shlex.join([*PROGRAM, *words])} >/dev/null 2>said; echo $? $(cat said) >>answers"
        for words in questions
    ]
    (tmp_path / "new").write_text("\n".join([*lines, "touch done"]))
    (tmp_path / "new").rename(tmp_path / "script")
    eventually((tmp_path / "done").exists, timeout=60.0, what="all answers")
    answers = (tmp_path / "answers").read_text().splitlines()
    for words, answer in zip(MAY_NOT + MAY, answers, strict=True):
        assert answer.startswith("1 Error: forbidden: " if words in MAY_NOT else "0"), (words, answer)
    assert om.info(other)["status"] == "running"
    assert (om.info(child)["status"], om.info(grandchild)["status"]) == ("stopped", "killed")
