"""Who is connected to a server of this machine: real sockets, a process for each end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from overmind_core.system.socket_clients import clients

pytestmark = pytest.mark.linux

CONNECT = """
import socket, sys
family, where = sys.argv[1:]
end = socket.socket(socket.AF_UNIX) if family == "unix" else None
if end:
    end.connect(where)
else:
    end = socket.create_connection(("127.0.0.1", int(where)))
print("connected", flush=True)
sys.stdin.read()
"""


def listen(family, folder):
    """A socket that listens, and what a client is told of it."""
    if family != "unix":
        where = ("127.0.0.1" if family == "tcp" else "::", 0)
        server = socket.create_server(where, family=FAMILIES[family], dualstack_ipv6=family == "both")
        return server, str(server.getsockname()[1])
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{folder}/s")
    server.listen()
    return server, f"{folder}/s"


FAMILIES = {"tcp": socket.AF_INET, "both": socket.AF_INET6}


@pytest.mark.parametrize("family", ["unix", *FAMILIES])
def test_who_is_connected_to_a_server_is_its_client_and_not_the_other_way_round(family, tmp_path):
    server, where = listen(family, tmp_path)
    with server, subprocess.Popen([sys.executable, "-c", CONNECT, family.replace("both", "tcp"), where],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"connected\n"
        with server.accept()[0]:
            assert clients(os.getpid()) == {other.pid}
            assert clients(os.getpid(), loopback=False) == ({other.pid} if family == "unix" else frozenset())
            assert clients(other.pid) == frozenset()
        assert clients(os.getpid()) == frozenset()
        other.stdin.close()


def test_a_process_without_a_server_and_one_that_is_gone_have_no_clients():
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    assert clients(gone.pid) == frozenset()
    near, far = socket.socketpair()
    with near, far:
        assert clients(os.getpid()) == frozenset()
