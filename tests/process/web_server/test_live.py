"""What is shown stays true: whoever dies, and whoever comes back."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from typing import Any

import pytest

from tests.kit.agents import Agents
from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually
from tests.kit.web_site import Site
from tests.kit.web_tab import PATIENCE, Tab, is_closed, with_cells

pytestmark = pytest.mark.shared_home


class Missions:
    """The rows of the missions' page, as a page keeps them."""

    def __init__(self, tab: Tab, number: int = 1) -> None:
        self.tab, self.number = tab, number
        self.ids: list[str] = []
        self.rows: dict[str, list[Any]] = {}
        tab.say({"t": "open", "p": number, "view": "missions", "args": {"unfolded": True}, "from": 0, "to": 90})

    def take(self, timeout: float = PATIENCE) -> None:
        """Take one message."""
        message = self.tab.hear(timeout)
        if message.get("p") != self.number or message["t"] != "rows":
            return
        self.ids = message.get("ids", self.ids)
        self.rows = {one: row for one, row in {**self.rows, **message.get("rows", {})}.items() if one in self.ids}
        for one, cells in message.get("cells", {}).items():
            self.rows[one] = with_cells(self.rows[one], cells)

    def states(self) -> dict[str, str]:
        """Name → state in words, of the rows in view."""
        assert set(self.rows) == set(self.ids)
        found = {}
        for one, row in self.rows.items():
            if one.startswith(":"):  # the heading of a group
                continue
            found[row[2]] = next(cell[1] for cell in row[4] if cell[0] == "state")
        return found

    def until(self, wanted: dict[str, str], timeout: float = PATIENCE) -> None:
        """Take messages until these are the states."""
        deadline = time.monotonic() + timeout
        while any(self.states().get(name) != state for name, state in wanted.items()):
            assert time.monotonic() < deadline, (wanted, self.states())
            with contextlib.suppress(TimeoutError):
                self.take(max(0.1, deadline - time.monotonic()))


def truth(om) -> dict[str, str]:
    return {row["name"]: row["status"] for row in json.loads(om.ok("ps", "--all", "--json"))}


def process_of(om, name: str) -> int:
    return int(json.loads(om.ok("info", name))["os_pid"])


@pytest.mark.own_home
def test_the_supervisor_is_killed_a_mission_ends_meanwhile_and_no_row_is_stale(site):
    for name in ("one", "two", "three"):
        site.om.ok("run", "--name", name, "sleep 600")
    pid = process_of(site.om, "two")
    with site.tab() as tab:
        missions = Missions(tab)
        missions.until({"one": "working", "two": "working", "three": "working"})
        os.kill(site.om.supervisor_pid(), signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        down = tab.heard(lambda message: message["t"] == "up" and not message["ok"])
        assert down["message"]
        tab.heard(lambda message: message["t"] == "up" and message["ok"])
        eventually(lambda: truth(site.om)["two"] != "running")
        missions.until({"one": "working", "two": "failed", "three": "working"})
        assert truth(site.om) == {"one": "running", "two": "crashed", "three": "running"}
        assert tab.press("kill", id="one")["ok"]
        missions.until({"three": "working"})


@pytest.mark.own_home
def test_the_web_server_is_killed_and_the_same_login_sees_what_changed_meanwhile(site):
    site.om.ok("run", "--name", "one", "sleep 600")
    with site.tab() as tab:
        Missions(tab).until({"one": "working"})
        site.kill()
        assert is_closed(tab)
    site.om.ok("run", "--name", "two", "sleep 600")
    site.om.ok("stop", "one")
    site.start_again()
    with site.tab() as tab:
        Missions(tab).until({"one": "stopped", "two": "working"})


@pytest.mark.own_home
def test_a_press_whose_answer_was_lost_and_that_is_pressed_again_is_done_once(site):
    wish = {"command": "sleep 600", "cwd": "/", "name": "once", "request": "key-of-the-page"}
    with site.tab() as tab:
        tab.begin("run", **wish)
        eventually(lambda: "once" in truth(site.om))
        site.kill()
    site.start_again()
    with site.tab() as tab:
        assert tab.press("run", **wish)["ok"]["name"] == "once"
    assert [row["name"] for row in json.loads(site.om.ok("ps", "--all", "--json"))] == ["once"]


@pytest.mark.own_home
def test_what_may_be_repeated_is_repeated_when_the_supervisor_dies_and_the_rest_says_that_it_was_lost(site):
    site.om.ok("run", "--name", "one", "sleep 600")
    with site.tab() as tab:
        tab.hear()
        pid = site.om.supervisor_pid()
        os.kill(pid, signal.SIGSTOP)
        asked = tab.begin("ps")
        sent = tab.begin("signal", id="one", signal="SIGUSR1")
        for _ in range(3):  # what a page says is taken in its order: by then both are on their way to the daemon
            tab.say({"t": "ping"})
            tab.heard(lambda said: said["t"] == "pong")
        os.kill(pid, signal.SIGKILL)
        answers: dict[int, dict[str, Any]] = {}
        while len(answers) < 2:
            message = tab.heard(lambda said: said["t"] == "did")
            answers[message["n"]] = message
        assert [row["name"] for row in answers[asked]["ok"]] == ["one"]
        assert answers[sent]["error"] == "daemon_lost"


@pytest.mark.own_home
def test_a_daemon_that_is_shut_down_is_not_started_by_the_web_and_found_when_it_returns(site):
    with site.tab() as tab:
        tab.heard(lambda message: message["t"] == "up" and message["ok"])
        site.om.ok("shutdown", "-y")
        tab.heard(lambda message: message["t"] == "up" and not message["ok"])
        assert site.client.ask("GET", "/").status == 200
        assert site.client.ask("GET", "/nothing", site.session.headers()).status == 404  # who was known still is
        assert "not running" in site.om("status").stdout + site.om("status").stderr
        site.om.ok("start")
        tab.heard(lambda message: message["t"] == "up" and message["ok"])
        assert tab.press("ps")["ok"] == []


def test_ten_tabs_are_all_live(site):
    with contextlib.ExitStack() as opened:
        tabs = [opened.enter_context(site.tab()) for _ in range(10)]
        tables = [Missions(tab) for tab in tabs]
        for name in ("one", "two"):
            site.om.ok("run", "--name", name, "sleep 600")
        site.om.ok("freeze", "two")
        for table in tables:
            table.until({"one": "working", "two": "frozen"})


def test_many_changes_at_once_leave_what_is_true(site):
    with site.tab() as tab, site.tab() as hands:
        missions = Missions(tab)
        for number in range(40):
            hands.begin("run", command="sleep 600", cwd="/", name=f"m{number}")
        for _ in range(40):
            hands.heard(lambda message: message["t"] == "did")
        for number in range(0, 40, 2):
            hands.begin("freeze", id=f"m{number}")
        for _ in range(20):
            hands.heard(lambda message: message["t"] == "did")
        missions.until({f"m{number}": "working" if number % 2 else "frozen" for number in range(40)})
        assert len(missions.ids) == 41  # and their heading


def test_a_stopped_web_server_says_nothing_and_goes_on_with_the_truth(site):
    site.om.ok("run", "--name", "one", "sleep 600")
    with site.tab() as tab:
        missions = Missions(tab)
        missions.until({"one": "working"})
        site.stop()
        tab.say({"t": "ping"})
        with pytest.raises(TimeoutError):
            tab.heard(lambda message: message["t"] == "pong", timeout=1.0)
        site.om.ok("freeze", "one")
        site.resume()
        missions.until({"one": "frozen"})


@pytest.mark.own_home
def test_the_server_ends_cleanly_and_tells_its_tabs(site):
    with site.tab() as tab:
        tab.hear()
        site.close()
        assert is_closed(tab)
        assert tab.socket.close_code in {1001, 1012}
    assert not os.path.exists(site.om.path("web.json"))
    site.start_again()


@pytest.mark.own_home
def test_answered_elsewhere_one_wins_and_the_other_is_told_who(om, tmp_path):
    agents = Agents(om, str(tmp_path / "bin"))
    with Site(om) as site:
        planner = agents.session()
        om.ok("send", planner, "!bash touch x")
        question = eventually(lambda: json.loads(om.ok("inbox", "--json")))[0]["question"]
        with site.tab(site.log_in("phone")) as phone, site.tab() as desk:
            assert phone.press("answer", question=question, behaviour="deny")["ok"]
            refused = desk.press("answer", question=question, behaviour="allow")
            assert refused["error"] == "not_found"
            assert "web:phone" in refused["message"]
    kill_supervisor(om)
    assert json.loads(om.ok("inbox", "--json")) == []


@pytest.mark.parametrize("view", ["mission", "describe", "stats", "changes"])
def test_a_pane_with_an_odd_id_is_refused_and_other_tabs_stay_live(site, view):
    mission = site.om.mission("sleep 100", "--name", "worker")
    with site.tab() as odd, site.tab() as tab:
        odd.say({"t": "open", "p": 1, "view": view, "args": {"id": []}})
        while odd.hear()["t"] != "failed":
            pass
        missions = Missions(tab)
        missions.until({"worker": "working"})
        site.om.ok("freeze", mission)
        missions.until({"worker": "frozen"})
        assert "feed failed" not in site.log()


def test_a_mission_named_in_an_address_is_followed_like_one_by_its_id(site):
    site.om.mission("sleep 100", "--name", "worker")
    with site.tab() as tab:
        tab.say({"t": "open", "p": 1, "view": "mission", "args": {"id": "worker"}})
        tab.say({"t": "open", "p": 2, "view": "describe", "args": {"id": "worker"}})
        seen: set[object] = set()
        while seen != {1, 2}:
            message = tab.hear()
            seen |= {message.get("p")} if message["t"] == "content" else set()
        site.om.ok("rm", "--force", "worker")
        while seen:
            message = tab.hear()
            seen -= {message.get("p")} if message["t"] == "failed" else set()
