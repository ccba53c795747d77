"""`/tty` without a browser: a real supervisor, keeper and programs, and a page that draws with our emulator."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from overmind_web.live.socket import REVOKED
from overmind_web.tty.flow import HIGH
from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually
from tests.kit.web_site import Site

pytestmark = pytest.mark.shared_home
FLOOD = "while :; do head -c 65536 /dev/zero | tr '\\0' x; echo; done"


def session(om, command, *options):
    """A mission whose terminal a person can type into."""
    return om.mission(command, "--type", "session", *options)


def seats(om, mission):
    """The events about who attached to a mission's terminal and left it."""
    rows = [json.loads(line) for line in om.ok("events", "--json").splitlines()]
    return [row for row in rows if row["type"] in {"attached", "detached"} and row["mission"] == mission]


def test_who_looks_sees_the_screen_and_types_nothing(om, site):
    mission = session(om, "printf 'ready %s\\n' $((40 + 2)); cat")
    with site.terminal(mission) as page:
        run = page.item("run")
        assert (run["write"], run["columns"], run["rows"]) == (False, 80, 24)
        assert not {"ticket", "socket", "path", "out"} & run.keys()
        page.until("ready 42")
        page.type("secret\r")
        assert page.item("refused")["bytes"] == len("secret\r")
    with site.terminal(mission) as later:
        later.until("ready 42")
        assert "secret" not in later.text


def test_who_looks_takes_no_seat_and_leaves_no_trace(om, site):
    mission = session(om, "echo ready; cat")
    with site.terminal(mission) as page:
        page.until("ready")
        assert om.api("info", id=mission)["attached"] == 0
    with site.terminal(mission, "type") as page:
        page.item("run")
    eventually(lambda: [row["type"] for row in seats(om, mission)] == ["attached", "detached"], what="who typed alone")


def test_who_types_sees_the_echo_and_the_size_is_the_newest_typists(om, site):
    mission = session(om, "exec sh")
    with site.terminal(mission, "type", columns=100, rows=30) as wide, site.terminal(mission, "type") as narrow:
        wide.item("run")
        narrow.item("run")
        for page, size in ((wide, "30 100"), (narrow, "24 80"), (wide, "30 100")):
            page.type(f"stty size; echo over-{size[:2]}-$((1 + 1))\r")
            page.until(size)
            rows, columns = map(int, size.split())
            while (page.screen.columns, page.screen.rows) != (columns, rows):
                page.step()
        wide.say({"size": [90, 20]})
        while (narrow.screen.columns, narrow.screen.rows) != (90, 20):
            narrow.step()


def test_the_end_of_the_program_is_told_with_its_exit_code(om, site):
    mission = session(om, "read line; exit 7")
    with site.terminal(mission, "type") as page:
        page.item("run")
        page.type("\r")
        assert page.item("ended")["exit_code"] == 7
        assert page.exit == 7
        with pytest.raises(ConnectionClosed):
            page.step()


@pytest.mark.parametrize("mode", ["look", "type"])
def test_a_terminal_that_has_ended_shows_its_last_screen(mode, om, site):
    mission = session(om, "seq 1 60; printf '\\033[32mbye\\033[m'; exit 7")
    om.wait_status(mission, "crashed")
    with site.terminal(mission, mode) as page:
        last = page.item("last")
        assert (last["status"], last["exit_code"]) == ("crashed", 7)
        assert "bye" in page.text
        assert page.screen.scrollback.text(0) == "1"
        with pytest.raises(ConnectionClosed):
            page.step()


def test_the_last_screen_of_what_a_limit_has_ended_says_so_in_words(om, site):
    mission = session(om, "echo ready; cat", "--timeout", "200ms")
    om.wait_status(mission, "crashed")
    with site.terminal(mission) as page:
        assert page.item("last")["why"] == "it took longer than 0.2 seconds"


def test_who_joins_late_can_scroll_to_what_was_there_before(om, site):
    mission = session(om, "seq 1 3000; echo over; cat")
    with site.terminal(mission) as page:
        page.until("over")
    with site.terminal(mission) as late:
        late.until("over")
        above = late.screen.scrollback
        assert len(above) > 900
        numbers = [int(above.text(place)) for place in range(len(above))]
        assert numbers == list(range(numbers[0], numbers[-1] + 1)), "none is missing, none is there twice"
        assert late.screen.line(0) == str(numbers[-1] + 1)


@pytest.mark.parametrize("mode", ["look", "type"])
def test_no_terminal_is_an_answer_not_a_broken_socket(mode, om, site):
    for mission in ("nosuch", om.mission("sleep 100", "--no-tty")):
        with site.terminal(mission, mode) as page:
            assert page.item("failed")["error"] in {"not_found", "invalid"}


def test_a_query_that_makes_no_sense_is_refused(site, cases):
    for wrong in ({"mode": "own"}, {"columns": 0}, {"columns": 5000}, {"rows": "x"}, {"mission": ""}, {"more": 1}):
        with cases(str(wrong)), site.terminal(**{"mission": "x", **wrong}) as page:
            assert page.item("failed")["error"] == "invalid"
            with pytest.raises(ConnectionClosed):
                page.step()


NO_MESSAGES = [
    "", "x", "[]", "{", '{"ack":-1}', '{"ack":1e99}', '{"ack":99999999}', '{"size":[0,0]}', '{"size":[1]}',
             '{"redraw":"x"}', '{"nosuch":1}', "[" * 100_000,
]  # fmt: skip


def test_a_message_that_is_none_ends_this_socket_alone(om, site, cases):
    mission = session(om, "echo ready; cat")
    for text in NO_MESSAGES:
        with cases(text[:16]), site.terminal(mission) as other, site.terminal(mission) as page:
            page.until("ready")
            page.socket.send(text)
            assert page.item("failed")["error"] == "invalid"
            other.until("ready").say({"ping": 5})
            assert other.item("pong")["ping"] == 5


def test_a_page_that_never_acknowledges_gets_one_window_and_others_get_all(om, site):
    mission = session(om, FLOOD)
    with site.terminal(mission) as silent, site.terminal(session(om, "cat"), "type") as other:
        silent.acknowledges = False
        other.item("run")
        while silent.received < HIGH:
            silent.step()
        before = site.memory()
        for number in range(20):
            other.type(f"echo-{number}\r")
            other.until(f"echo-{number}\necho-{number}")
        with suppress(TimeoutError):
            while True:
                silent.step(0.5)
        assert silent.received < HIGH + (64 << 10)
        assert site.memory() < before + (16 << 20)
        om.ok("kill", mission)
        silent.acknowledges = True
        silent.say({"ack": silent.received})
        silent.item("ended")


def test_a_flood_that_is_read_slowly_ends_in_the_same_screen(om, site):
    mission = session(om, "seq 2000000; echo over-$((1 + 1)); cat")
    with site.terminal(mission) as page:
        page.until("over-2")
        assert page.text.rstrip().endswith("over-2")
    with site.terminal(mission) as late:
        assert late.until("over-2").text == page.text


def test_typing_goes_on_while_the_supervisor_is_killed(om, site):
    mission = session(om, "exec sh")
    with site.terminal(mission, "type") as page:
        page.item("run")
        kill_supervisor(om)
        page.type("echo alive-$((1 + 1))\r")
        page.until("alive-2")


def test_after_the_web_server_was_killed_the_screen_is_drawn_from_the_log(om, site):
    mission = session(om, "exec sh")
    with site.terminal(mission, "type") as page:
        page.item("run")
        page.type("echo before-$((1 + 1))\r")
        page.until("before-2")
        os.kill(site.pid, signal.SIGKILL)
        with suppress(ConnectionClosed):
            while True:
                page.step()
    with Site(om) as again, again.terminal(mission, "type") as page:
        page.until("before-2")


@pytest.mark.own_home
def test_what_is_typed_while_the_keeper_hangs_up_is_refused_and_joined_again(om, site):
    mission = session(om, "exec sh", "--restart", "always", "--backoff", "1000")  # so long that the text comes before
    with site.terminal(mission, "type") as page:
        page.item("run")
        os.kill(om.keeper_pid(), signal.SIGKILL)
        page.item("away")
        page.type("echo lost\r")
        page.item("refused")
        page.item("run")
        page.type("echo found-$((1 + 1))\r")
        page.until("found-2")
        assert "lost" not in page.text


def test_a_terminal_is_attached_in_the_name_of_its_login(om, site):
    mission = session(om, "cat")
    with site.terminal(mission, "type") as page:
        page.item("run")
    assert [row["by"] for row in seats(om, mission) if row["type"] == "attached"] == [f"web:{site.session.name}"]


def test_revoked_while_open_a_terminal_is_gone_and_what_it_typed_after_is_typed_nowhere(om, site):
    mission = session(om, "cat")
    with site.terminal(mission, "type") as page:
        page.item("run")
        om.ok("web", "revoke", site.session.name)
        assert page.end_code() == REVOKED
        with pytest.raises(ConnectionClosed):
            page.type("late\r")
    eventually(lambda: [row["type"] for row in seats(om, mission)] == ["attached", "detached"], what="it has left")


def test_what_is_typed_for_a_program_that_reads_nothing_is_refused_in_the_end(om, site):
    mission = session(om, "stty raw -echo; exec sleep 1000")
    with site.terminal(mission, "type") as page:
        page.item("run")
        for _ in range(12):
            page.type(b"x" * (512 << 10))
        assert page.item("refused")["full"] is True
