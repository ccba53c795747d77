"""Keys of changes: what was sent again after a loss is done once; what nobody could answer is settled by its key."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from pathlib import Path

import pytest

from tests.kit.killing import kill_supervisor, without_waiting
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

STUBBORN = "trap '' TERM; touch {began}; while [ ! -e {go} ]; do sleep .05; done; trap - TERM; exec sleep 300"
"""A mission that ends at its stop signal no earlier than it is allowed to."""


def ask(om, command, key, **args):
    """Ask the daemon over a connection of its own; the whole answer."""
    with RawSocket.connect(om.home) as api:
        api.send_line({"cmd": command, "args": args, "id": 1, "request": key})
        return api.read_line()


def restarts(om, mission):
    """How often a mission was started again."""
    return om.info(mission)["restart_count"]


@pytest.fixture
def reached(far, sshd):
    """A home that knows `eu1` over the server."""
    sshd.serve_home("eu1", far.home("eu1"))
    Path(far.om.home, "config.toml").write_text('[hives.eu1]\nssh = "eu1"\n')
    return far


def test_a_key_is_done_once_and_answered_again_by_this_daemon_and_the_next(om):
    mission = om.mission("sleep 300")
    first = ask(om, "restart", "k1", id=mission)
    assert first["ok"]["id"] == mission
    assert ask(om, "restart", "k1", id=mission) == first
    kill_supervisor(om)
    assert ask(om, "restart", "k1", id=mission) == first
    assert restarts(om, mission) == 1
    assert ask(om, "restart", "k2", id=mission)["ok"]["id"] == mission
    assert restarts(om, mission) == 2


def test_a_refusal_is_an_answer_and_a_key_is_that_of_one_request(om):
    om.ok("start")
    refused = ask(om, "restart", "k", id="nobody")
    assert refused["error"] == "not_found"
    om.mission("sleep 300", "--name", "nobody")
    assert ask(om, "restart", "k", id="nobody") == refused
    other = ask(om, "restart", "k", id="somebody")
    assert (other["error"], "another request" in other["message"]) == ("invalid", True)
    assert ask(om, "restart", "a:b", id="nobody")["error"] == "invalid"


def test_a_repetition_waits_for_the_first_that_is_still_at_work(om, tmp_path):
    began, go = tmp_path / "began", tmp_path / "go"
    mission = om.mission(STUBBORN.format(began=began, go=go), "--grace", "60s")
    eventually(began.exists, what="it ignores its stop signal")
    request = {"cmd": "restart", "args": {"id": mission}, "id": 1, "request": "k"}
    with RawSocket.connect(om.home) as one, RawSocket.connect(om.home) as other:
        one.send_line(request)
        other.send_line(request)
        om.wait_status(mission, "stopping")
        stubborn = om.pid(mission)
        go.touch()
        with contextlib.suppress(ProcessLookupError):  # it may have seen the file and gone by itself
            os.kill(stubborn, signal.SIGKILL)
        assert one.read_line() == other.read_line()
    assert restarts(om, mission) == 1


def test_what_a_killed_daemon_had_begun_is_not_done_again(om, tmp_path):
    began, go = tmp_path / "began", tmp_path / "go"
    mission = om.mission(STUBBORN.format(began=began, go=go), "--grace", "60s")
    eventually(began.exists, what="it ignores its stop signal")
    with RawSocket.connect(om.home) as api:
        api.send_line({"cmd": "restart", "args": {"id": mission}, "id": 1, "request": "k"})
        om.wait_status(mission, "stopping")
        kill_supervisor(om)
    said = ask(om, "restart", "k", id=mission)
    assert (said["error"], " k " in said["message"]) == ("outcome_unknown", True)
    go.touch()
    with contextlib.suppress(ProcessLookupError):  # the daemon that went on may have asked it once more to stop
        os.kill(om.pid(mission), signal.SIGKILL)
    om.wait_status(mission, "running", "stopped", "killed", "crashed")
    assert restarts(om, mission) <= 1


def test_nobody_answers_any_more_and_the_key_that_was_named_settles_it(reached, sshd, tmp_path):
    there = reached.home("eu1")
    began, go = tmp_path / "began", tmp_path / "go"
    mission = there.mission(STUBBORN.format(began=began, go=go), "--grace", "60s")
    eventually(began.exists, what="it ignores its stop signal")
    asking = reached.om.popen("restart", f"eu1/{mission}")
    there.wait_status(mission, "stopping")
    sshd.end()
    out, errors = asking.communicate(timeout=60)
    said = without_waiting(errors)
    assert said.startswith("Error: outcome_unknown: eu1 was lost before it answered"), (out, said)
    found = re.search(r"--request ([0-9a-f]{32})$", said.strip())
    assert found is not None, said
    go.touch()
    os.kill(there.pid(mission), signal.SIGKILL)
    sshd.start()
    assert f"{mission}" in reached("restart", f"eu1/{mission}", "--request", found[1])
    assert f"{mission}" in reached("--request", found[1], "-H", "eu1", "restart", mission)
    assert restarts(there, mission) == 1


def test_the_key_of_a_run_settles_it_as_well(reached):
    first = reached.om.json("run", "-H", "eu1", "--request", "abc", "--json", "sleep 300")
    assert reached.om.json("--request=abc", "run", "-H", "eu1", "--json", "sleep 300") == first
    assert len(reached.home("eu1").ps()) == 1


def test_a_key_without_a_hive_or_without_a_value_is_refused(om):
    om.refused("ps", "--request", "k", code="invalid", exit_code=2)
    om.refused("--request", "k", "ps", code="invalid", exit_code=2)
    om.refused("ps", "--request", code="invalid", exit_code=2)
    om.refused("--request", code="invalid", exit_code=2)
    om.refused("ps", "-H", "local", "--request", "k", code="invalid", exit_code=2)
