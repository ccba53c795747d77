"""Limits of the web server: half requests, silent connections, endless frames, answers that nobody reads."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.kit.waiting import eventually
from tests.kit.web_client import read_answer
from tests.kit.web_tab import is_closed

pytestmark = pytest.mark.shared_home

MEGABYTE = 1 << 20


def is_over(connection: socket.socket) -> bool:
    """Whether the other side has ended it."""
    connection.settimeout(0)
    try:
        return not connection.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_an_endless_header_is_refused(site):
    with site.client.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        with contextlib.suppress(OSError):
            for _ in range(64):
                connection.sendall(b"a" * 16_384)
        with contextlib.suppress(OSError):
            assert read_answer(connection).status in {0, 431}
        eventually(lambda: is_over(connection))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_more_than_it_takes_is_refused_before_it_is_read(site, chunked):
    size = 100 * MEGABYTE
    headers = {"Transfer-Encoding": "chunked", "Content-Length": None} if chunked else {"Content-Length": str(size)}
    lines = {"Host": site.client.host, "Origin": site.client.origin, **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    before = site.memory()
    with site.client.connect() as connection:
        connection.sendall(f"POST /login HTTP/1.1\r\n{head}\r\n".encode())
        piece = b"10000\r\n" + b" " * 65_536 + b"\r\n" if chunked else b" " * 65_536
        sent = 0
        with contextlib.suppress(OSError):
            while sent < size:
                connection.sendall(piece)
                sent += len(piece)
        with contextlib.suppress(OSError):
            assert read_answer(connection).status in {0, 413}
    assert sent < size
    assert site.memory() < before + 20 * MEGABYTE


def test_a_frame_of_a_hundred_megabytes_ends_its_socket_and_is_not_kept(site):
    before = site.memory()
    with site.tab() as tab:
        tab.hear()
        with contextlib.suppress(ConnectionClosed, OSError):
            tab.socket.send("x" * (100 * MEGABYTE))
        assert is_closed(tab)
    assert site.memory() < before + 50 * MEGABYTE
    assert site.client.ask("GET", "/").status == 200


def pieces(count: int, size: int) -> Iterator[str]:
    for _ in range(count):
        yield "x" * size


@pytest.mark.parametrize(("count", "size"), [(3_000, 1_000), (20_000, 0)], ids=["large in sum", "empty"])
def test_fragments_without_end_end_their_socket(site, count, size):
    before = site.memory()
    with site.tab() as tab:
        tab.hear()
        with contextlib.suppress(ConnectionClosed, OSError):
            tab.socket.send(pieces(count, size))
        assert is_closed(tab)
    assert site.memory() < before + 50 * MEGABYTE


@pytest.mark.own_home
def test_who_reads_nothing_is_told_little_and_ended_and_others_go_on(site):
    for _ in range(30):
        site.om.ok("run", "true")
    before = site.memory()
    with site.tab() as other, site.tab() as mute:
        other.hear()
        mute.socket.socket.settimeout(3.0)  # what it says is not taken either, once nothing more can be answered
        with contextlib.suppress(TimeoutError, ConnectionClosed):
            for number in range(50_000):
                mute.say({"t": "do", "n": number, "verb": "ps", "args": {"all": True}})
        assert other.press("ps")["ok"]
        assert site.memory() < before + 60 * MEGABYTE
        assert site.client.ask("GET", "/").status == 200


MESSAGES = [
        "", "{}", "[]", "null", "0", '"x"', "{", '{"t":"do"}', '{"t":"do","n":"1","verb":"ps"}',
        '{"t":"do","n":1,"verb":["ps"]}', '{"t":"do","n":1,"verb":"ps","args":[]}', '{"t":"do","n":-1,"verb":"ps"}',
        '{"t":"open","p":1}', '{"t":"open","p":1e9,"view":"events"}', '{"t":"open","p":1,"view":"events","from":-1}',
        '{"t":"look"}', '{"t":"look","visible":"yes"}', '{"t":"look","visible":true,"ago":-5}',
        '{"t":"look","visible":true,"ago":1e400}', '{"t":["ping"]}', "[" * 100_000, '{"t":"ping","t":"do"}',
        '{"t":"window","p":1,"from":99999999999999999999,"to":1}', '{"t":"open","p":1,"view":"' + "x" * 1000 + '"}',
]  # fmt: skip


def test_a_message_that_is_none_ends_its_socket_and_says_why(site, cases):
    for message in MESSAGES:
        with cases(message[:40]), site.tab() as tab:
            tab.hear()
            tab.socket.send(message)
            assert tab.heard(lambda said: said["t"] == "bye")["error"] == "invalid"
            assert is_closed(tab)


def test_binary_messages_end_the_socket(site):
    with site.tab() as tab:
        tab.hear()
        tab.socket.send(b"\x00\xff" * 100)
        assert is_closed(tab)


FORBIDDEN: list[tuple[str, dict[str, Any], str]] = [
    ("no_such_verb", {}, "unknown_command"),
    ("x" * 64, {}, "unknown_command"),
    ("start", {}, "unknown_command"),
    ("shutdown", {}, "forbidden"),
    ("environment", {"id": "x"}, "forbidden"),
    ("definition", {"id": "x"}, "forbidden"),
    ("redefine", {"id": "x"}, "forbidden"),
    ("info", {"id": "x", "reveal": True}, "forbidden"),
    ("web_link", {}, "forbidden"),
    ("web_check", {"token": "x"}, "forbidden"),
    ("web_revoke", {"all": True}, "forbidden"),
    ("attach", {"id": "x"}, "forbidden"),
    ("hook", {}, "forbidden"),
    ("used", {"viewer": 1}, "forbidden"),
    ("ps", {"nonsense": 1}, "invalid"),
    ("info", {"id": "nothing"}, "not_found"),
    ("info", {"id": {"a": ["b"]}}, "invalid"),
    ("info", {"id": "half a sign: \ud83d"}, "not_found"),
]


def test_what_may_not_be_asked_for_is_refused_and_the_tab_goes_on(site, cases):
    with site.tab() as tab:
        for verb, args, error in FORBIDDEN:
            with cases(f"{verb} {args}"):
                assert tab.press(verb, **args)["error"] == error
                assert isinstance(tab.press("ps")["ok"], list)


def test_a_login_has_so_many_sockets_and_another_one_has_its_own(site):
    with contextlib.ExitStack() as opened:
        tabs = [opened.enter_context(site.tab()) for _ in range(64)]
        assert all(tab.hear()["t"] == "hello" for tab in tabs)
        with pytest.raises(InvalidStatus) as refused:
            site.client.socket("/ws", site.session)
        assert refused.value.response.status_code == 503
        assert json.loads(refused.value.response.body or b"")["error"] == "busy"
        other = site.log_in()
        with site.tab(other) as tab:
            assert tab.hear()["t"] == "hello"
        tabs[0].close()

        def opens() -> bool:
            with contextlib.suppress(InvalidStatus), site.tab() as tab:
                return bool(tab.hear()["t"] == "hello")
            return False

        eventually(opens)


def test_a_tab_has_so_many_panes(site):
    with site.tab() as tab:
        for number in range(9):
            tab.say({"t": "open", "p": number, "view": "events"})
        failed = tab.heard(lambda message: message["t"] == "failed")
        assert (failed["p"], failed["error"]) == (8, "too_large")
        tab.say({"t": "close", "p": 0})
        tab.say({"t": "open", "p": 8, "view": "events"})
        assert tab.heard(lambda message: message.get("p") == 8)["t"] != "failed"


def test_a_view_that_there_is_not_is_said_to_be_so(site):
    with site.tab() as tab:
        tab.say({"t": "open", "p": 3, "view": "../../etc/passwd"})
        failed = tab.heard(lambda message: message["t"] == "failed")
        assert (failed["p"], failed["error"]) == (3, "not_found")


def test_requests_that_wait_for_no_answer_end_their_connection_and_stand_in_no_log(site):
    before = len(site.log())
    request = f"GET / HTTP/1.1\r\nHost: {site.client.host}\r\n\r\n".encode()
    with site.client.connect() as connection:
        with contextlib.suppress(OSError):
            connection.sendall(request * 2_000)
        eventually(lambda: is_over(connection))
    with site.client.connect() as connection:
        connection.sendall(b"this is no request\r\n\r\n")
        assert read_answer(connection).status == 400
    assert site.client.ask("GET", "/").status == 200
    assert len(site.log()) == before
