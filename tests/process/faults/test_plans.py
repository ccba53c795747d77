"""A plan of twelve agents while the supervisor is killed again and again: each runs once, and what they say flows."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections import Counter
from functools import partial

import pytest

from tests.kit import torture
from tests.kit.killing import answers, await_another, kill
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.torture
KILLS = torture.portion(30)
NEEDS = {
    "a": [], "b": [], "c": ["a"], "d": ["a", "b"], "e": ["b"], "f": ["c", "d"],
    "g": ["d"], "h": ["e"], "i": ["f", "g"], "j": ["g", "h"], "k": ["i", "j"], "l": ["k"],
}  # fmt: skip
EXPECTED = {"a": 1, "b": 1, "c": 2, "d": 3, "e": 2, "f": 6, "g": 4, "h": 3, "i": 11, "j": 8, "k": 20, "l": 21}
"""One more than the sum of those that an agent depends on."""


def _agent(name, journal):
    numbers = "".join(f" + ${{agents.{one}.result}}" for one in NEEDS[name])
    command = f"echo {name} >> {journal}; sleep 0.4; expr 1{numbers}"
    return {
        "name": name,
        "start": {"command": command, "cwd": "/"},
        "depends_on": [{"agent": one} for one in NEEDS[name]],
    }


def _kill(om, moments, plan):
    """Kill the supervisor; whether somebody asks for the next one at once, or the keeper brings it, is chance too.

    By the time of the kill the plan may be over; then nobody is needed, and the keeper brings nobody.
    """
    time.sleep(moments.random() * 0.35)  # the moment itself is the experiment
    old = om.holder("supervisor.lock")
    if not old:
        return
    kill(old)
    if moments.random() < 0.85 or not _is_live_in_the_books(om, plan):
        om.ok("start")
    else:
        await_another(om, old)


def _is_live_in_the_books(om, plan):
    """Whether who reads the state now finds the plan going on."""
    with contextlib.closing(sqlite3.connect(f"file:{om.path('state.db')}?mode=ro", uri=True)) as database:
        return bool(database.execute("SELECT live FROM missions WHERE id = ?", [plan]).fetchone()[0])


def test_each_agent_runs_once_and_results_flow_whenever_the_supervisor_is_killed(om, moments, tmp_path):
    om.ok("start")
    journal = tmp_path / "journal"
    kills, rounds = 0, 0
    while kills < KILLS:
        rounds += 1
        journal.write_text("", encoding="ascii")
        blueprint = {"name": f"p{rounds}", "agents": [_agent(name, journal) for name in NEEDS]}
        with RawSocket.connect(om.home) as api:
            plan = api.ok("apply", blueprint=blueprint, cwd="/", env=om.environment)["id"]
        while kills < KILLS and om.info(plan)["status"] == "running":
            _kill(om, moments, plan)
            kills += 1
        ended = eventually(partial(_ended, om, plan), timeout=60, what="the plan is over")
        assert (ended["status"], ended["counts"]["succeeded"]) == ("stopped", len(NEEDS)), ended
        assert Counter(journal.read_text(encoding="ascii").split()) == Counter(list(NEEDS))
        for agent in ended["agents"]:
            assert agent["attempt"] == 1
            assert om.ok("logs", agent["mission"]) == f"{EXPECTED[agent['name']]}\n"


def test_a_plan_of_which_nothing_runs_just_now_is_gone_on_with_all_the_same(om):
    """The keeper holds no child and no exit that anybody waits for: it starts a daemon because it was told so."""
    om.ok("start")
    gate = os.path.join(om.home, "gate")
    start = {"command": "true", "cwd": gate}  # it can't start yet
    agent = {"name": "a", "start": start, "retries": 100, "backoff": 0.5}
    with RawSocket.connect(om.home) as api:
        plan = api.ok("apply", blueprint={"name": "p", "agents": [agent]}, cwd="/")["id"]
        eventually(lambda: api.ok("plan", id=plan)["agents"][0]["attempt"] > 1, what="it is tried again")
        old = om.supervisor_pid()
        os.kill(old, signal.SIGKILL)
    eventually(lambda: answers(om, other_than=old), timeout=20, what="another supervisor answers")
    os.mkdir(gate)
    ended = eventually(lambda: _ended(om, plan), what="the plan is over")
    assert [agent["stage"] for agent in ended["agents"]] == ["succeeded"]


def _ended(om, plan):
    """The plan, once it is over; None while it is not, or nobody answers."""
    try:
        with RawSocket.connect(om.home) as api:
            found = api.ok("plan", id=plan)
    except (OSError, EOFError):
        return None
    return found if found["ended_at"] else None
