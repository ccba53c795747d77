"""What commands that end missions say while these take their time, and of what had to be killed."""

from __future__ import annotations

import re
import threading
import time

import pytest

from overmind_core.cli import ends
from overmind_core.client import client as clients
from overmind_core.domain.text.moment import format_time

LATE = "g1 did not end within 14 seconds of its stop signal, so it was killed"
HAS = "waits for g1: it has 12 s left to end, then it is killed"
AT_ONCE = "; at once with: overmind kill g1"
PLAN = {"id": "p1", "name": "live", "status": "running", "counts": {}, "agents": []}


def row(id_, name, *, parent=None, type_="task"):
    return {"id": id_, "name": name, "parent": parent, "type": type_, "status": "stopping"}


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch):
    monkeypatch.setattr(ends, "SILENT_SECONDS", 0.0)
    monkeypatch.setattr(ends, "PAUSE", 0.0)
    monkeypatch.setattr(clients, "BEAT", 0.01)


class Slow:
    """A daemon that ends nothing before it was looked at a few times.

    Args:
        rows: What is ending meanwhile.
        kill_in: Seconds until each of them is killed; None: the daemon does not say it.
        plans: The plans that it has, by id.
    """

    LOOKS = 3

    def __init__(self, rows, *, kill_in=11.5, plans=None):
        self.rows = rows
        self.plans = plans or {}
        self.moment = {} if kill_in is None else {"kill_at": format_time(time.time() + kill_in)}
        self._looks = 0
        self._enough = threading.Event()

    def answers(self, **more):
        return {"ps": self._ps, "info": lambda _args: [{"ok": self.moment}], "plan": self._plan, **more}

    def after(self, answer):
        """A request that takes long."""

        def slowly(_args):
            assert self._enough.wait(30)
            yield answer

        return slowly

    def _ps(self, args):
        assert args == {"status": ["stopping"]}
        self._looks += 1
        if self._looks == self.LOOKS:
            self._enough.set()
        return [{"ok": self.rows}]

    def _plan(self, args):
        return [{"ok": self.plans[args["id"]]}]


def said(ran):
    """The lines on stderr; a busy machine may have taken a second of what is left."""
    return [re.sub(r"\b1[01] s\b", "12 s", line) for line in ran.err.splitlines()]


G1 = row("a1", "g1")
STOPPED = {"ok": {"id": "a1", "name": "g1", "note": LATE}}
COMMANDS = {
    "stop": (("stop", "g1"), "stop", STOPPED, AT_ONCE, "Stopped mission a1\n"),
    "stop --cascade": (("stop", "g1", "--cascade"), "stop", STOPPED, AT_ONCE, "Stopped mission a1 and all children\n"),
    "restart": (("restart", "a1"), "restart", STOPPED, "", "Restarted mission a1\n"),
    "kill": (("kill", "g1"), "kill", {"ok": {"killed": [{"id": "a1"}], "hidden": []}}, "", "Killed mission a1\n"),
    "quest cancel": (
        ("quest", "cancel", "g1"), "quest_cancel", {"ok": {**STOPPED["ok"], "status": "cancelled"}}, AT_ONCE,
        "Cancelled quest a1 (g1)\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "request_name", "answer", "hint", "printed"), COMMANDS.values(), ids=COMMANDS)
def test_a_command_that_ends_missions_says_for_whom_it_waits_until_when_and_who_had_to_be_killed(
    overmind, words, request_name, answer, hint, printed
):
    slow = Slow([G1, row("b1", "other")])
    ran = overmind(slow.answers(**{request_name: slow.after(answer)}), *words)
    noted = [answer["ok"]["note"]] if "note" in answer["ok"] else []
    assert (ran.status, ran.out) == (0, printed)
    assert said(ran) == [f"{HAS}{hint}", *noted]


@pytest.mark.parametrize("command", ["stop", "kill", "restart"])
def test_of_all_too(overmind, command):
    slow = Slow([G1])
    done = {"kill": {"ok": {"killed": [{"id": "a1"}], "hidden": []}}}.get(command, STOPPED)
    status = {"missions": {"running": 1}}
    live = {**G1, "status": "running"}

    def listed(args):
        return slow._ps(args) if args.get("status") else [{"ok": [live]}]

    answers = slow.answers(status=[{"ok": status}], ps=listed, **{command: slow.after(done)})
    ran = overmind(answers, command, "--all", "-y")
    assert said(ran)[0].startswith(HAS)


def test_a_deleted_plan_names_the_agent_that_takes_its_time_and_the_one_that_was_killed(overmind):
    agent, plan = row("a1", "live/web", parent="p1"), row("p1", "live", type_="blueprint")
    slow = Slow([plan, agent], plans={"p1": PLAN, "live": PLAN})
    note = LATE.replace("g1", "live/web")
    ran = overmind(
        slow.answers(delete=slow.after({"ok": {"id": "p1", "name": "live", "note": note}})), "delete", "live"
    )
    assert ran.out == "Deleted plan p1 (live)\n"
    assert said(ran) == [f"{HAS}{AT_ONCE}".replace("g1", "live/web"), note]


CLEANING = {**PLAN, "agents": [{"name": "web", "stage": "succeeded"}, {"name": "tidy", "stage": "running"}]}
LINES = {
    "an older daemon": ([G1], {"kill_in": None}, ["waits for g1: it is ending"]),
    "its grace is over": ([G1], {"kill_in": -1.0}, ["waits for g1: it is being killed"]),
    "a child of it": (
        [row("c1", "child", parent="a1"), G1], {}, [f"{HAS}{AT_ONCE}", f"{HAS}{AT_ONCE}".replace("g1", "child")]
    ),
    "many": (
        [G1, *(row(f"a1{number}", f"m{number}") for number in range(4))], {},
        ["waits for 5 missions to end: g1, m0, m1 and others; the last one is killed in 12 s"],
    ),
    "a plan that cleans up": (
        [row("a1", "g1", type_="blueprint")], {"plans": {"a1": CLEANING}},
        ["waits for g1: tidy runs: overmind logs g1/tidy"],
    ),
    "nothing of it is ending any more": ([row("b1", "other")], {}, ["waits for a1"]),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "how", "lines"), LINES.values(), ids=LINES)
def test_what_is_said_of(overmind, rows, how, lines):
    slow = Slow(rows, **how)
    ran = overmind(slow.answers(stop=slow.after({"ok": {"id": "a1", "name": "g1"}})), "stop", "a1")
    assert said(ran) == lines


def test_a_daemon_that_does_not_answer_beside_it_costs_no_more_than_the_lines(overmind):
    slow = Slow([])

    def refused(args):
        slow._ps(args)
        return [{"error": "internal", "message": "no"}]

    ran = overmind(slow.answers(ps=refused, stop=slow.after(STOPPED)), "stop", "a1")
    assert (ran.status, ran.err) == (0, f"{LATE}\n")
