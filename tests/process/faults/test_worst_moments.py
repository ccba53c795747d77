"""The supervisor is killed in the middle of what it does: it happens once all the same, and to its end."""

from __future__ import annotations

import collections
import contextlib
import os
import re
import signal
import sqlite3
import time
import uuid
from functools import partial

import pytest

from tests.kit import processes, torture
from tests.kit.killing import ask_until_answered, await_another, kill_supervisor, without_waiting
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.torture
ROUNDS = torture.portion(4)
REQUESTS = 40
STUBBORN = "trap '' TERM HUP; sleep 600 & setsid sh -c 'trap \"\" TERM; sleep 601; :' & echo begun; sleep 602; wait"


class Orders:
    """`run` requests, each with its key, sent again and again until each is answered.

    Every mission writes its number into one file, so that who ran twice shows.
    """

    def __init__(self, om, count):
        self._om = om
        self._file = om.path(f"ran-{uuid.uuid4().hex}")
        self._requests = [self._order(number) for number in range(count)]
        self.ids = collections.defaultdict(set)

    def place(self, api, *, after=lambda _answers: None):
        """Send all at once; `after` sees how many answers have come."""
        self.send(api)
        for answers in range(len(self._requests)):
            after(answers)
            answer = api.read_line()
            assert "ok" in answer, answer
            self.ids[answer["id"]].add(answer["ok"]["id"])

    def send(self, api):
        """Ask for all, and wait for no answer."""
        for number, request in enumerate(self._requests):
            api.send_line({"cmd": "run", "args": request, "id": number})

    def assert_each_ran_once(self):
        assert sorted(self.ids) == list(range(len(self._requests)))
        missions = [mission for one in self.ids.values() for mission in one]
        assert len(missions) == len(self._requests) == len(set(missions)), "a key has two missions"
        for mission in missions:
            info = self._om.wait_status(mission, "stopped", "crashed", "killed")
            assert (info["status"], info["exit_code"], len(info["runs"])) == ("stopped", 0, 1)
        assert {row["id"] for row in self._om.ps("--all")} >= set(missions)
        assert sorted(self.written()) == sorted(range(len(self._requests)))

    def written(self):
        """The numbers of the missions that ran."""
        with open(self._file) as file:
            return [int(line) for line in file]

    def _order(self, number):
        return {
            "command": f"echo {number} >>{self._file}",
            "cwd": self._om.home,
            "env": self._om.environment,
            "request": uuid.uuid4().hex,
        }


class Fatal:
    """Kills the supervisor, once, a little after so many answers."""

    def __init__(self, om, answers, wait):
        self._om = om
        self._answers = answers
        self._wait = wait

    def __call__(self, answers):
        if answers == self._answers:
            self._answers = None
            time.sleep(self._wait)
            os.kill(self._om.supervisor_pid(), signal.SIGKILL)


def keep_somebody_supervised(om):
    """While a mission lives its keeper starts the next supervisor, without any client's help."""
    om.mission("sleep 600")


def test_a_run_request_that_is_repeated_after_a_crash_makes_one_mission(om, moments):
    keep_somebody_supervised(om)
    total = 1
    for _ in range(ROUNDS):
        orders = Orders(om, REQUESTS)
        fatal = Fatal(om, moments.randrange(REQUESTS), moments.random() / 100)
        ask_until_answered(om, partial(orders.place, after=fatal))
        ask_until_answered(om, orders.place)  # and once more for those that were answered
        orders.assert_each_ran_once()
        total += REQUESTS
    assert len(om.ps("--all")) == total


def test_a_burst_that_is_saved_and_of_which_nothing_runs_yet_starts_once_after_a_crash(om):
    """The intents of many starts share a commit; the supervisor dies between that and the first of them."""
    keep_somebody_supervised(om)
    orders = Orders(om, REQUESTS)
    keeper, old = om.keeper_pid(), om.supervisor_pid()
    os.kill(keeper, signal.SIGSTOP)
    try:
        with RawSocket.connect(om.home) as api:
            orders.send(api)
            eventually(lambda: saved_as(om, "starting") == REQUESTS, what="all are on the books")
            os.kill(old, signal.SIGKILL)
    finally:
        os.kill(keeper, signal.SIGCONT)
    await_another(om, old)
    ask_until_answered(om, orders.place)
    orders.assert_each_ran_once()


def saved_as(om, status):
    """How many missions are on the books with this status."""
    with contextlib.closing(sqlite3.connect(f"file:{om.path('state.db')}?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM missions WHERE status = ?", (status,)).fetchone()[0]


def test_the_same_request_twice_at_once_makes_one_mission(om):
    om.ok("start")
    orders = Orders(om, 10)

    def twice(api):
        for _ in range(2):
            orders.send(api)
        for _ in range(20):
            answer = api.read_line()
            orders.ids[answer["id"]].add(answer["ok"]["id"])

    ask_until_answered(om, twice)
    orders.assert_each_ran_once()
    assert len(om.ps("--all")) == 10


def test_a_client_that_goes_away_with_many_requests_leaves_nothing_half_done(om):
    keep_somebody_supervised(om)
    orders = Orders(om, REQUESTS)

    def leave(answers):
        if answers == 2:
            raise EOFError

    with RawSocket.connect(om.home) as api, contextlib.suppress(EOFError):
        orders.place(api, after=leave)
    ask_until_answered(om, orders.place)
    orders.assert_each_ran_once()


def test_run_commands_that_meet_a_crash_start_one_mission_each(om, moments):
    om.ok("start")
    file = om.path("ran")
    clients = [om.popen("run", f"echo {number} >>{file}") for number in range(8)]
    for _ in range(2):
        time.sleep(moments.random() / 5)
        with contextlib.suppress(ProcessLookupError, AssertionError):  # there is none just now
            os.kill(om.supervisor_pid(), signal.SIGKILL)
    for client in clients:
        text, errors = client.communicate(timeout=30)
        assert client.returncode == 0, errors
        assert text.startswith("Started mission ")
    rows = om.ps("--all")
    assert len(rows) == len(clients)
    for row in rows:
        om.wait_status(row["id"], "stopped")
    with open(file) as lines:
        assert sorted(int(line) for line in lines) == list(range(len(clients)))


def test_what_is_asked_for_while_the_keeper_dies_runs_once_or_is_lost(om):
    keep_somebody_supervised(om)
    orders = Orders(om, 20)

    def kill_keeper_at(answers):
        if answers == 3:
            os.kill(om.keeper_pid(), signal.SIGKILL)

    ask_until_answered(om, lambda api: orders.place(api, after=kill_keeper_at))
    ends = {number: om.wait_status(*missions, "stopped", "crashed") for number, missions in orders.ids.items()}
    lost = [number for number, info in ends.items() if info["reason"] == "keeper_lost"]
    ran = orders.written()
    assert len(ran) == len(set(ran)), "some ran twice"
    assert set(ends) - set(lost) <= set(ran)
    for number in set(ends) - set(lost):
        assert (ends[number]["status"], ends[number]["exit_code"]) == ("stopped", 0)


def test_a_stop_goes_on_after_a_crash(om, moments):
    missions = [om.mission(STUBBORN, "--grace", "2s") for _ in range(4)]
    client = om.popen("stop", *missions)
    for mission in missions:
        om.wait_status(mission, "stopping")
    time.sleep(moments.random())
    kill_supervisor(om)
    text, errors = client.communicate(timeout=30)
    assert (text, client.returncode) == ("".join(f"Stopped mission {one}\n" for one in missions), 0), errors
    assert all("did not end within" in line for line in without_waiting(errors).splitlines()), errors
    for mission in missions:
        assert om.info(mission)["status"] == "stopped"
        assert not processes.with_variable("OVERMIND_MISSION_ID", mission)


def test_a_shell_that_is_held_for_its_script_ends_behind_it_after_a_crash(om, tmp_path):
    go = tmp_path / "go"
    script = tmp_path / "save.sh"
    script.write_text(f"""trap 'echo saving; until test -e {go}; do sleep 0.05; done; echo saved; exit 0' TERM
echo ready
while :; do sleep 0.05; done
""")
    mission = om.mission(f"cd . && bash {script}")
    eventually(lambda: "ready" in om.logs(mission), what="it has its trap")
    client = om.popen("stop", mission)
    eventually(lambda: "saving" in om.logs(mission), what="it was asked to end")
    kill_supervisor(om)
    om.ok("start")
    go.touch()
    assert client.wait(30) == 0
    client.communicate()
    assert "saved" in om.logs(mission)
    assert om.info(mission)["status"] == "stopped"
    assert not processes.with_variable("OVERMIND_MISSION_ID", mission)


def test_killing_everything_goes_on_after_a_crash(om, moments):
    for _ in range(ROUNDS):
        missions = [om.mission(STUBBORN) for _ in range(6)]
        client = om.popen("kill", "--all", "-y")
        seen = om.supervisor_pid()
        await_status_other_than(om, missions[0], "running")
        time.sleep(moments.random() / 50)
        os.kill(seen, signal.SIGKILL)
        _, errors = client.communicate(timeout=30)
        assert client.returncode == 0, errors
        om.ok("start")  # when everything was settled before the crash, nobody needed another one
        for mission in missions:
            assert om.wait_status(mission, "killed", "crashed", "stopped")["status"] == "killed"
            assert not processes.with_variable("OVERMIND_MISSION_ID", mission)


def test_a_shutdown_goes_on_after_a_crash(om, moments):
    missions = [om.mission(STUBBORN, "--grace", "1s") for _ in range(4)]
    client = om.popen("shutdown", "-y")
    om.wait_status(missions[0], "stopping")
    time.sleep(moments.random())
    with contextlib.suppress(AssertionError, ProcessLookupError):  # it has left already
        os.kill(om.supervisor_pid(), signal.SIGKILL)
    text, errors = client.communicate(timeout=30)
    assert (text, client.returncode) == ("Daemon stopped\n", 0), errors
    told = ("did not end within", "had to be killed")
    assert all(line.startswith("waits ") or any(one in line for one in told) for line in errors.splitlines()), errors
    eventually(lambda: not processes.of_home(om.home), what="nothing of it is left")
    om.ok("start")
    assert {row["status"] for row in om.ps()} == {"stopped"}


def test_limits_hold_over_a_crash(om):
    silent = om.mission("echo last words; exec sleep 600", "--activity-timeout", "2s")
    endless = om.mission("while :; do echo again; sleep 0.1; done", "--timeout", "2s")
    kill_supervisor(om)
    for mission, reason, code in ((silent, "stalled", 137), (endless, "timeout", 124)):
        info = om.wait_status(mission, "crashed")
        assert (info["reason"], info["exit_code"]) == (reason, code)
        assert not processes.with_variable("OVERMIND_MISSION_ID", mission)
    assert om.logs(silent) == "last words\n--- timed out: no activity for 2s ---\n"


def test_a_natural_end_is_swept_after_a_crash(om, moments):
    over = om.finished("true")["id"]
    os.mkfifo(gate := om.path("gate"))
    held = os.open(gate, os.O_RDWR)
    leaver = f"(setsid sh -c 'trap \"\" TERM HUP; sleep 600; :' &) ; read x <{gate}; exit 7"
    missions = [om.mission(leaver) for _ in range(4)]
    client = om.popen("wait", over, *missions)
    assert client.stdout.readline().startswith(f"Mission {over} finished"), "it has met the daemon, and waits"
    os.unlink(gate)
    os.close(held)
    om.wait_status(missions[0], "stopping", "crashed")  # a second, which a busy machine may miss
    time.sleep(moments.random())
    kill_supervisor(om)
    text, errors = client.communicate(timeout=30)
    assert client.returncode == 7, errors
    said = re.sub(r"^Daemon started \(PID \d+\)\n", "", without_waiting(errors))  # where it was faster than the keeper
    assert said == ""
    assert sorted(text.splitlines()) == sorted(
        f"Mission {one} finished: crashed (exit code 7): failed" for one in missions
    )
    for mission in missions:
        assert om.info(mission)["runs"][0]["exit_code"] == 7
        assert not processes.with_variable("OVERMIND_MISSION_ID", mission)


def test_a_restart_that_a_crash_interrupts_happens_once(om, moments):
    mission = om.mission("echo begun; exec sleep 600", "--restart", "on-failure", "--backoff", "300ms")
    for number in range(1, 4):
        os.kill(om.pid(mission), signal.SIGKILL)
        time.sleep(moments.random() / 3)
        kill_supervisor(om)
        info = restarted(om, mission, number)
        assert [run["exit_code"] for run in info["runs"]] == [137] * number + [None]
    log = om.logs(mission)
    assert log.count("begun") == 4
    assert [log.count(f"--- restart #{number} at") for number in (1, 2, 3, 4)] == [1, 1, 1, 0]


def restarted(om, mission, times):
    """What is known of the mission once it runs after so many restarts."""

    def info():
        found = om.info(mission)
        return found if found["status"] == "running" and found["restart_count"] == times else None

    return eventually(info, what=f"restart {times}")


def await_status_other_than(om, mission, status):
    eventually(lambda: om.api("info", id=mission)["status"] != status, what=f"it is no longer {status}")
