"""Random commands, and supervisors killed in between, against a model that fits on a page."""

from __future__ import annotations

from typing import Any, ClassVar

import psutil
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.kit import torture
from tests.kit.killing import kill_supervisor
from tests.kit.overmind import FINAL, Overmind
from tests.kit.processes import alive
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.torture

KINDS: dict[str, dict[str, Any]] = {
    "sleeper": {"command": "exec sleep 600"},
    "stubborn": {"command": "trap '' TERM; echo deaf; while :; do sleep 600; done", "grace": "100ms"},
    "done": {"command": "exit 0"},
    "failing": {"command": "exit 3"},
    "looping": {"command": "exit 4", "restart": "always", "backoff": "1h"},
}
AFTER_START = {
    "sleeper": ("running", None),
    "stubborn": ("running", None),
    "done": ("stopped", 0),
    "failing": ("crashed", 3),
    "looping": ("restarting", 4),
}
"""Kind → status and exit code once a run of it has settled."""
AFTER_STOP = {"sleeper": 143, "stubborn": 137, "looping": 4}
NAMES = ("alpha", "beta")


class Model:
    """What must be true of one mission."""

    def __init__(self, mission: str, kind: str, name: str) -> None:
        self.id = mission
        self.kind = kind
        self.name = name
        self.labels: dict[str, str] = {}
        self.runs = 0
        self.pid: int | None = None
        self.status = ""
        self.code: int | None = None
        self.removed = False
        self.hidden = False

    @property
    def live(self) -> bool:
        return self.status not in FINAL and not self.removed

    @property
    def has_process(self) -> bool:
        return self.status in {"running", "paused"}


class Commands(RuleBasedStateMachine):
    """Commands of the API in any order; after each, everything that can be seen is as the model says."""

    om: ClassVar[Overmind]
    missions = Bundle("missions")

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Model] = {}
        self.killings = 0

    def ask(self, cmd: str, /, **args: Any) -> Any:
        with RawSocket.connect(self.om.home, timeout=30) as api:
            return api.request(cmd, **args)

    def expect(self, error: str | None, cmd: str, /, **args: Any) -> Any:
        answer = self.ask(cmd, **args)
        assert answer.get("error") == error, (cmd, args, answer)
        return answer.get("ok")

    def holder(self, name: str) -> Model | None:
        return next((one for one in self.known.values() if one.live and one.name == name), None)

    def settle(self, one: Model) -> None:
        """A run was started: wait until it is where its kind leads."""
        one.runs, one.hidden = one.runs + 1, False
        one.status, one.code = AFTER_START[one.kind]
        info = self.om.wait_status(one.id, one.status)
        one.pid = info["os_pid"]
        assert [run["exit_code"] for run in info["runs"]][-1] == one.code
        if one.kind == "stubborn":
            eventually(lambda: self.ask("info", id=one.id)["ok"]["runs"][-1]["output_bytes"], what="it is deaf to TERM")

    def end(self, one: Model, status: str, code: int | None) -> None:
        if one.pid is not None:
            assert not alive(one.pid)
        one.status, one.code, one.pid = status, code, None

    # missions that begin

    @rule(target=missions, kind=st.sampled_from(sorted(KINDS)), name=st.sampled_from((None, *NAMES)))
    def run(self, kind: str, name: str | None) -> Any:
        args = {**KINDS[kind], "cwd": self.om.home, "env": self.om.environment, "name": name}
        if name is not None and self.holder(name):
            self.expect("name_taken", "run", **args)
            return multiple()
        started = self.expect(None, "run", **args)
        one = self.known[started["id"]] = Model(started["id"], kind, started["name"])
        self.settle(one)
        return one

    @rule(one=missions)
    def restart(self, one: Model) -> None:
        if one.removed:
            self.expect("not_found", "restart", id=one.id)
        elif not one.live and self.holder(one.name):
            self.expect("name_taken", "restart", id=one.id)
        else:
            old = one.pid
            self.expect(None, "restart", id=one.id)
            self.settle(one)
            assert one.pid is None or one.pid != old

    # missions that end

    @rule(one=missions)
    def stop(self, one: Model) -> None:
        if one.removed:
            self.expect("not_found", "stop", id=one.id)
        elif not one.live:
            self.expect("not_running", "stop", id=one.id)
        else:
            assert self.expect(None, "stop", id=one.id)["status"] == "stopped"
            self.end(one, "stopped", AFTER_STOP[one.kind])

    @rule(one=missions)
    def kill(self, one: Model) -> None:
        if one.removed:
            self.expect("not_found", "kill", id=one.id)
        else:
            assert self.expect(None, "kill", id=one.id)["killed"] == [{"id": one.id, "name": one.name}]
            one.hidden = not one.live  # how it ended stays as it was
            self.end(one, "killed" if one.live else one.status, None if one.live else one.code)

    @rule(one=missions)
    def rm(self, one: Model) -> None:
        if one.removed:
            self.expect("not_found", "rm", id=one.id)
        elif one.live:
            self.expect("not_finished", "rm", id=one.id)
        else:
            self.expect(None, "rm", id=one.id)
            one.removed = True

    # missions that change

    @rule(one=missions)
    def freeze(self, one: Model) -> None:
        if one.removed:
            self.expect("not_found", "freeze", id=one.id)
        elif one.status == "running":
            self.expect(None, "freeze", id=one.id)
            one.status = "paused"
        else:
            self.expect("paused" if one.status == "paused" else "not_running", "freeze", id=one.id)

    @rule(one=missions)
    def thaw(self, one: Model) -> None:
        if one.removed:
            self.expect("not_found", "thaw", id=one.id)
        elif one.status == "paused":
            self.expect(None, "thaw", id=one.id)
            one.status = "running"
        else:
            self.expect("not_running", "thaw", id=one.id)

    @rule(one=missions, key=st.sampled_from("ab"), value=st.sampled_from(("1", "2", None)))
    def label(self, one: Model, key: str, value: str | None) -> None:
        self.expect("not_found" if one.removed else None, "update", id=one.id, labels={key: value})
        if value is None:
            one.labels.pop(key, None)
        else:
            one.labels[key] = value

    @rule(one=missions, name=st.sampled_from(NAMES))
    def rename(self, one: Model, name: str) -> None:
        if one.removed:
            self.expect("not_found", "update", id=one.id, name=name)
        elif name != one.name and self.holder(name):
            self.expect("name_taken", "update", id=one.id, name=name)
        else:
            self.expect(None, "update", id=one.id, name=name)
            one.name = name

    # supervisors that go

    @precondition(lambda self: self.killings < 1 and any(one.live for one in self.known.values()))
    @rule()
    def kill_the_supervisor(self) -> None:
        self.killings += 1
        kill_supervisor(self.om)

    @precondition(lambda self: self.killings < 2)
    @rule()
    def replace_the_supervisor(self) -> None:
        self.killings += 1
        self.expect(None, "shutdown", keep=True)
        self.om.ok("start")

    # what can be seen

    @invariant()
    def lists_and_processes_are_as_they_must_be(self) -> None:
        rows = {row["id"]: row for row in self.expect(None, "ps", all=True)}
        kept = {one.id: one for one in self.known.values() if not one.removed}
        assert rows.keys() == kept.keys()
        for one in kept.values():
            row = rows[one.id]
            seen = (row["status"], row["exit_code"], row["name"], row["labels"], row["restart_count"])
            assert seen == (one.status, one.code, one.name, one.labels, one.runs - 1), one.kind
            if one.pid is not None:
                self.assert_moves_or_not(one, one.pid)
        shown = {row["id"] for row in self.expect(None, "ps")}
        assert shown == {one.id for one in kept.values() if one.status != "killed" and not one.hidden}

    def assert_moves_or_not(self, one: Model, pid: int) -> None:
        """A process stops a moment after the signal."""
        stopped = one.status == "paused"
        eventually(
            lambda: (psutil.Process(pid).status() == psutil.STATUS_STOPPED) == stopped, what=f"stopped: {stopped}"
        )

    @rule(one=missions)
    def look_closely(self, one: Model) -> None:
        info = self.expect("not_found" if one.removed else None, "info", id=one.id)
        if not one.removed:
            assert (info["os_pid"], len(info["runs"])) == (one.pid, one.runs)
            assert one.pid is None or alive(one.pid)

    @rule(one=missions)
    def wait(self, one: Model) -> None:
        if one.live or one.removed:
            return
        with RawSocket.connect(self.om.home) as api:
            api.ok("wait", ids=[one.id])
            end = api.read_line()["item"]
            assert (end["id"], end["status"], end["exit_code"]) == (one.id, one.status, one.code)

    def teardown(self) -> None:
        self.ask("kill", all=True)
        self.ask("prune")
        for one in self.known.values():
            assert one.pid is None or not alive(one.pid)
        assert self.ask("ps", all=True) == {"ok": []}


def test_random_commands_do_what_the_model_says(attacked):
    machine = type("CommandsHere", (Commands,), {"om": attacked})
    limits = settings(
        max_examples=torture.portion(12), stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=limits)
    assert "Traceback" not in attacked.diagnosis()
