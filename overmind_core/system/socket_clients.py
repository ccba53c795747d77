"""Socket clients: which processes are connected to a server of this machine, by a unix socket or over loopback.

A server is what listens at the address of a connection's own end; who has merely connected to something serves nobody.
Only connections of the server's network namespace are seen, unix sockets in ours alone; only processes that this user
may look into are told. Source: proc_pid_net(5), sock_diag(7).
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import NamedTuple

_ESTABLISHED, _LISTENING = 1, 10
"""States of a socket, the same for both families."""
_SOCK_DIAG, _BY_FAMILY, _REQUEST_DUMP = 4, 20, 0x301
"""NETLINK_SOCK_DIAG; SOCK_DIAG_BY_FAMILY; NLM_F_REQUEST | NLM_F_DUMP."""
_NAME, _PEER = 0, 2
"""UNIX_DIAG_NAME and UNIX_DIAG_PEER: attributes of an answer, and the bits that ask for them."""
_MESSAGE = struct.Struct("=IHHII")
"""nlmsghdr: length with itself, type, flags, sequence, port."""
_QUESTION = struct.Struct("=BBHIIIII")
"""unix_diag_req: family, protocol, padding, states, inode, what to show, cookie."""
_ANSWER = struct.Struct("=BBBBIII")
"""unix_diag_msg: family, type, state, padding, inode, cookie."""
_ATTRIBUTE = struct.Struct("=HH")
"""nlattr: length with itself, type."""
_MAPPED = "0000000000000000FFFF0000"
"""Before an IPv4 address in the table of the other family."""
_LINK = "socket:["


class _End(NamedTuple):
    """A socket that listens, or one end of a connection."""

    inode: int
    state: int
    address: object
    """Where it listens, or the server that took the connection listened; nothing of a unix client."""
    peer: object
    """The inode of a unix socket's other end, the address of a TCP connection's."""


def clients(pid: int, *, loopback: bool = True) -> frozenset[int]:
    """The pids of the other processes that are connected to a server that `pid` is; never raises. Blocks.

    `loopback`: Over loopback as well, not only by a unix socket.
    """
    own = _inodes(pid)
    wanted = {*_unix_clients(own), *(_tcp_clients(pid, own) if loopback else ())} - own
    if not wanted:
        return frozenset()
    others = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return frozenset(other for other in others if other != pid and wanted & _inodes(other))


def _inodes(pid: int) -> set[int]:
    """The sockets that a process has open."""
    found = set()
    with suppress(OSError):
        for file in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                link = os.readlink(f"/proc/{pid}/fd/{file}")
                if link.startswith(_LINK):
                    found.add(int(link[len(_LINK) : -1]))
    return found


def _unix_clients(own: Collection[int]) -> Iterator[object]:
    mine = [end for end in _unix_ends() if end.inode in own] if own else []
    served = {end.address for end in mine if end.state == _LISTENING and end.address}
    return (end.peer for end in mine if end.state == _ESTABLISHED and end.address in served)


def _tcp_clients(pid: int, own: Collection[int]) -> Iterator[object]:
    ends = [end for table in ("tcp", "tcp6") for end in _tcp_ends(f"/proc/{pid}/net/{table}")] if own else []
    mine = [end for end in ends if end.inode in own]
    ports = {_port(end.address) for end in mine if end.state == _LISTENING}
    served = {(end.peer, end.address) for end in mine if end.state == _ESTABLISHED and _port(end.address) in ports}
    return (end.inode for end in ends if (end.address, end.peer) in served)


def _port(address: object) -> str:
    return str(address).rpartition(":")[2]


def _tcp_ends(table: str) -> Iterator[_End]:
    with suppress(OSError), open(table, encoding="ascii") as file:
        next(file, None)
        for line in file:
            _, local, remote, state, *_, inode = line.split(None, 10)[:10]
            yield _End(int(inode), int(state, 16), local.removeprefix(_MAPPED), remote.removeprefix(_MAPPED))


def _unix_ends() -> Iterator[_End]:
    """All unix sockets that listen or are connected; none where the kernel does not tell."""
    question = _QUESTION.pack(
        socket.AF_UNIX, 0, 0, 1 << _ESTABLISHED | 1 << _LISTENING, 0, 1 << _NAME | 1 << _PEER, 0, 0
    )  # fmt: skip
    with suppress(OSError), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as netlink:
        netlink.settimeout(1.0)
        netlink.send(_MESSAGE.pack(_MESSAGE.size + len(question), _BY_FAMILY, _REQUEST_DUMP, 0, 0) + question)
        while True:
            for header, body in _parts(netlink.recv(1 << 16), _MESSAGE):
                if header[1] != _BY_FAMILY:  # the end, or an error
                    return
                yield _unix_end(body)


def _unix_end(body: bytes) -> _End:
    _, _, state, _, inode, *_ = _ANSWER.unpack_from(body)
    attributes = {header[1]: value for header, value in _parts(body[_ANSWER.size :], _ATTRIBUTE)}
    return _End(inode, state, attributes.get(_NAME), int.from_bytes(attributes.get(_PEER, b""), sys.byteorder))


def _parts(data: bytes, layout: struct.Struct) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Each header with what it heads: it begins with the length of both, and the next is aligned to four bytes."""
    while len(data) >= layout.size:
        header = layout.unpack_from(data)
        length = max(header[0], layout.size)
        yield header, data[layout.size : length]
        data = data[-(-length // 4) * 4 :]
