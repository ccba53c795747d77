"""Sockets that listen for HTTP: of the web dashboard and of a Cortex."""

from __future__ import annotations

import socket


def listen(host: str, port: int, *, backlog: int = 128) -> socket.socket:
    """Return a socket that listens at a name or address; port 0: any that is free.

    What it accepts sends at once (`TCP_NODELAY`): asyncio sees to that only for sockets whose protocol is given by
    number, and an answer of two writes would wait 40 ms for the other end to acknowledge the first.

    Raises:
        OSError: The host is none of this machine, or the port is taken or not open to us.
    """
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    listening = socket.create_server((host, port), family=family, backlog=backlog)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is accepted inherits it
    return listening
