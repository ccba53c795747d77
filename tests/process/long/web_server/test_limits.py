"""Limits of the web server: half requests, silent connections, endless frames, answers that nobody reads."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Iterator

import pytest

from overmind_web.server import protocol
from tests.kit.waiting import eventually
from tests.process.web_server.test_limits import MEGABYTE, is_over

pytestmark = pytest.mark.shared_home


@contextlib.contextmanager
def many_files(count: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, before[1]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.long
@pytest.mark.own_home
def test_ten_thousand_half_requests_keep_nobody_out_and_cost_little(site):
    half = f"GET / HTTP/1.1\r\nHost: {site.client.host}\r\nX-Slow: ".encode()
    with many_files(10_500), site.tab() as tab:
        tab.hear()
        held: list[socket.socket] = []
        try:
            for count in range(10_000):
                try:
                    connection = site.client.connect()
                    connection.sendall(half)
                except OSError:  # it was ended while it was made, or this machine has no more descriptors
                    continue
                held.append(connection)
                if count % 1000 == 999:
                    tab.say({"t": "ping"})
                    tab.heard(lambda message: message["t"] == "pong")
                    assert site.client.ask("GET", "/").status == 200
                    assert site.client.ask("GET", "/nothing", site.session.headers()).status == 404
            assert len(held) > 5_000
            assert site.descriptors() < protocol.MOST_STRANGERS + 80
            assert site.memory() < 150 * MEGABYTE
            eventually(lambda: sum(not is_over(one) for one in held) <= protocol.MOST_STRANGERS)
        finally:
            for connection in held:
                connection.close()


@pytest.mark.long
def test_a_request_that_is_not_whole_in_time_is_ended_also_in_the_middle_of_a_body(site):
    head = f"POST /login HTTP/1.1\r\nHost: {site.client.host}\r\nOrigin: {site.client.origin}\r\n"
    slow = [b"", b"G", head.encode(), (head + "Content-Length: 100\r\n\r\n{").encode()]
    begun = [site.client.connect() for _ in slow]
    try:
        for connection, data in zip(begun, slow, strict=True):
            connection.sendall(data)
        for connection in begun:
            eventually(lambda one=connection: is_over(one), timeout=protocol.REQUEST_SECONDS + 10)  # type: ignore[misc]
    finally:
        for connection in begun:
            connection.close()


@pytest.mark.long
def test_a_byte_now_and_then_is_no_reason_to_wait_longer(site):
    with site.client.connect() as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {site.client.host}\r\n".encode())
        began = time.monotonic()

        def dripping() -> bool:
            with contextlib.suppress(OSError):
                connection.setblocking(True)
                connection.sendall(b"X-A: b\r\n")
            return is_over(connection)

        eventually(dripping, timeout=protocol.REQUEST_SECONDS + 10)
        assert time.monotonic() - began >= protocol.REQUEST_SECONDS / 2  # and it got its time
