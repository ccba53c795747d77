"""Ids, names and prefixes: which mission is meant."""

from __future__ import annotations

import re

import pytest

from tests.kit.raw_socket import RawSocket

pytestmark = pytest.mark.shared_home

GOOD = ["a", "9", "A.b_c-d", "x" * 63, "deadbee", "deadbeef0", "build.7", "UPPER"]
BAD = [
    "", " ", "a b", "-a", ".a", "_a", "a..b", "a.", "x.lock", "x" * 64, "deadbeef", "DEADBEEF", "12345678", "a/b",
    "ümlaut", "a\nb", "a\x1b[31m",
]  # fmt: skip


def test_names_that_may_be_given(om, cases):
    for name in GOOD:
        with cases(name):
            mission = om.mission("true", "--name", name)
            assert om.info(name)["id"] == mission


def test_names_that_may_not_be_given(om, cases):
    om.ok("start")
    for name in BAD:
        with cases(repr(name)):
            om.refused("run", f"--name={name}", "true", code="invalid", exit_code=2)
    assert om.ps("--all") == []


def test_an_id_is_8_hex_characters_and_a_generated_name_two_words(om):
    for _ in range(5):
        om.ok("run", "true")
    for row in om.ps():
        assert re.fullmatch(r"[0-9a-f]{8}", row["id"])
        assert re.fullmatch(r"[a-z]+-[a-z]+", row["name"])


def test_an_id_a_name_and_a_prefix_of_three_all_mean_the_mission(om):
    mission = om.mission("true", "--name", "target")
    for reference in (mission, "target", mission[:3], mission[:7]):
        assert om.info(reference)["id"] == mission, reference
    om.refused("info", mission[:2], code="not_found")
    om.refused("info", mission.upper() if mission.upper() != mission else "ZZZ", code="not_found")


def test_a_live_name_wins_over_a_finished_one_and_the_newest_finished_over_older_ones(om):
    om.finished("true", "--name", "same")
    newer = om.finished("true", "--name", "same")["id"]
    assert om.info("same")["id"] == newer
    live = om.mission("sleep 100", "--name", "same")
    assert om.info("same")["id"] == live


def test_an_ambiguous_prefix_lists_the_candidates(om):
    first, second = _with_a_common_prefix(om, "true")
    om.ok("wait", first, second)
    for words in (("info",), ("logs",), ("stop",), ("kill",), ("wait",), ("rm",)):
        sentence = om.refused(*words, first[:3], code="ambiguous")
        assert first in sentence
        assert second in sentence
    assert om.info(first)["status"] == "stopped"
    with RawSocket.connect(om.home) as socket:
        answer = socket.request("info", id=first[:3])
    assert answer["error"] == "ambiguous"
    assert {first, second} <= {candidate["id"] for candidate in answer["candidates"]}


@pytest.mark.parametrize("command", ["stop", "kill"])
def test_stop_and_kill_never_take_a_finished_name_while_a_live_prefix_matches(om, command):
    live = om.mission("sleep 100")
    finished = om.finished("true", "--name", live[:4])["id"]
    assert om.info(live[:4])["id"] == finished, "elsewhere the name wins"
    om.ok(command, live[:4])
    assert om.info(live)["status"] == {"stop": "stopped", "kill": "killed"}[command]
    assert om.info(finished)["status"] == "stopped"


def test_a_generated_name_is_never_one_in_use(om):
    om.ok("start")
    with RawSocket.connect(om.home, timeout=60) as socket:
        for number in range(300):
            # Not one that ends: only the names of live missions are in use.
            args = {"command": ["sleep", "600"], "cwd": "/", "tty": False}
            socket.send_line({"id": number, "cmd": "run", "args": args})
        answers = [socket.read_line()["ok"] for _ in range(300)]
    assert len({answer["name"] for answer in answers}) == 300
    om.ok("kill", "--all", "-y")


def _with_a_common_prefix(om, command):
    """Start missions until two ids begin with the same three characters; of 4,096 beginnings, 200 ids share some."""
    om.ok("start")
    seen: dict[str, str] = {}
    with RawSocket.connect(om.home, timeout=60) as socket:
        while True:
            mission = socket.ok("run", command=[command], cwd="/", tty=False)["id"]
            if mission[:3] in seen:
                return seen[mission[:3]], mission
            seen[mission[:3]] = mission
