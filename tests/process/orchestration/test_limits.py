"""How far a tree of missions may grow when they start missions by themselves."""

from __future__ import annotations

import json
import shlex
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit import torture
from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]

OVERMIND = shlex.join(PROGRAM)
AT_ONCE = 5 + torture.portion(20)


def starts(script, count, tmp_path):
    """A shell script that starts so many missions at once, and tells of each what came of it."""
    line = f"{OVERMIND} run {shlex.quote(script)} >{tmp_path}/said.$i 2>&1; echo $? >{tmp_path}/code.$i"
    return f"for i in $(seq {count}); do ({line}) & done; wait; touch {tmp_path}/done; sleep 60"


def outcomes(tmp_path, count):
    eventually((tmp_path / "done").exists, timeout=60.0, what="all answers")
    said = [(tmp_path / f"said.{i + 1}").read_text() for i in range(count)]
    return [text for text in said if "Started mission" not in text], said


@pytest.mark.parametrize(("options", "limit"), [([], 10), (["--max-children", "3"], 3), (["--max-children", "0"], 0)])
def test_twenty_starts_at_once_never_exceed_the_limit(om, tmp_path, options, limit):
    parent = om.mission(starts("sleep 60", AT_ONCE, tmp_path), *options)
    refused, said = outcomes(tmp_path, AT_ONCE)
    assert len(om.info(parent)["children"]) == limit
    assert len(refused) == AT_ONCE - limit, said
    for text in refused:
        assert text.startswith(f"Error: forbidden: Mission {parent}"), text
        assert f"allows {limit}." in text


def test_a_child_that_has_ended_makes_room(om, tmp_path):
    script = f"""
        child=$({OVERMIND} run --json 'sleep 60' | cut -d'"' -f4)
        {OVERMIND} run true && echo more
        {OVERMIND} stop $child
        {OVERMIND} run true && echo again
    """
    ended = om.finished(script, "--max-children", "1")
    log = om.logs(ended["id"])
    assert "more" not in log
    assert log.count("Error: forbidden: ") == 1
    assert "again" in log


def test_generations_end_where_the_root_says(om):
    script = "sleep 60"
    for _ in range(4):
        script = f"{OVERMIND} run {shlex.quote(script)}; sleep 60"
    root = om.mission(script, "--max-depth", "2")
    deepest = eventually(lambda: [one for one in om.ps() if "Error" in om.logs(one["id"])])[0]
    assert f"--max-depth of mission {root}" in om.logs(deepest["id"])
    assert len(om.ps()) == 3


def test_no_mission_gives_its_children_more_than_it_has(om):
    own = f"{OVERMIND} run --max-children 99 --max-depth 99 {shlex.quote(f'{OVERMIND} run true')}"
    root = om.finished(f"{own}; sleep 1", "--max-depth", "1")
    child = root["children"][0]
    assert f"--max-depth of mission {root['id']}" in om.logs(child)


def test_the_defaults_bind_no_person_but_a_limit_that_was_given_binds_everybody(om):
    free, bound = om.mission("sleep 60"), om.mission("sleep 60", "--max-children", "2")
    for _ in range(11):
        om.mission("sleep 60", "--parent", free)
    for _ in range(2):
        om.mission("sleep 60", "--parent", bound)
    said = om.refused("run", "--parent", bound, "true", code="forbidden")
    assert said == (
        f"Mission {bound} ({om.info(bound)['name']}) has 2 live children, and --max-children of mission"
        f" {bound} ({om.info(bound)['name']}) allows 2. Wait until one ends, or stop one.\n"
    )


@pytest.mark.own_home
def test_a_limit_outlives_the_supervisor_and_the_one_who_set_it(om):
    root = om.mission("sleep 60", "--max-depth", "1")
    child = om.mission("sleep 60", "--parent", root)
    om.ok("stop", root)
    om.ok("start", "--replace")
    assert f"--max-depth of mission {root}" in om.refused("run", "--parent", child, "true", code="forbidden")


def test_starts_through_the_socket_are_counted_one_after_the_other(om):
    """Requests of many clients at once, each of which takes a moment to look up its program."""
    parent = om.mission("sleep 60", "--max-children", "4")

    def start(_):
        return om("run", "--json", "--parent", parent, "--", "sleep", "60")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(start, range(8)))
    started = [json.loads(answer.stdout)["id"] for answer in answers if answer.returncode == 0]
    assert len(started) == 4
    assert sorted(om.info(parent)["children"]) == sorted(started)
