"""Sockets that listen for HTTP."""

from __future__ import annotations

import socket

import pytest

from overmind_core.system import tcp


def test_what_is_accepted_sends_at_once():
    """Else an answer of two writes waits for the acknowledgement of the first, 40 ms later."""
    with tcp.listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()) as _:
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_taken_port_and_a_strange_host_are_refused():
    with tcp.listen("127.0.0.1", 0) as listening:
        _, port = listening.getsockname()
        with pytest.raises(OSError, match="in use"):
            tcp.listen("127.0.0.1", port)
    with pytest.raises(OSError, match=r"\w"):
        tcp.listen("no-such-host.invalid", 0)
