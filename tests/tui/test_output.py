"""The way to the terminal: in order, whole, and never more frames than it takes."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import time
import tty

import pytest

from overmind_tui.shell.driver import TerminalWriter

SLOW = 2000
"""Bytes a second that the slow terminal takes."""


@pytest.fixture
def terminal():
    master, slave = os.openpty()
    tty.setraw(slave)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    file = os.fdopen(slave, "w")
    yield master, file
    file.close()
    os.close(master)


def read_all(master, output, *, step=1 << 16):
    """Everything that comes until the writer has ended."""
    found = b""
    while output.is_alive() or select.select([master], [], [], 0)[0]:
        if select.select([master], [], [], 0.02)[0]:
            found += os.read(master, step)
    return found


def test_what_is_written_arrives_in_order_and_whole(terminal):
    master, file = terminal
    output = TerminalWriter(file)
    output.start()
    texts = [f"{number:06d} ⬢\r\n" for number in range(5000)]
    for text in texts:
        output.write(text)
    found = b""
    wanted = "".join(texts).encode()
    while len(found) < len(wanted):
        found += os.read(master, 1 << 16)
    output.stop()
    assert found == wanted
    assert not output.behind


def test_a_terminal_that_takes_nothing_is_behind_and_can_still_be_left(terminal):
    _, file = terminal
    output = TerminalWriter(file)
    output.start()
    output.write("x" * 1_000_000)
    assert output.behind
    output.stop()  # in about a second
    assert not output.is_alive()


def test_a_terminal_that_is_gone_makes_no_noise():
    master, slave = os.openpty()
    file = os.fdopen(slave, "w")
    output = TerminalWriter(file)
    output.start()
    os.close(master)
    output.write("x")
    output.stop()
    file.close()
    assert not output.is_alive()


def test_a_slow_terminal_gets_fewer_frames_never_a_queue(terminal):
    """A frame is only made once the one before was taken, as the screens do it: so little ever waits."""
    master, file = terminal
    output = TerminalWriter(file)
    output.start()
    frame, made, most, taken = "f" * 1500 + "\n", 0, 0, b""
    until = time.monotonic() + 3.0
    while time.monotonic() < until:
        if not output.behind:
            output.write(frame)
            made += 1
        most = max(most, len(output._unsent))
        if select.select([master], [], [], 0)[0]:
            taken += os.read(master, SLOW // 100)
        time.sleep(0.01)  # what makes it slow
    assert made < 3.0 * SLOW / len(frame) + 65536 / len(frame) + 2  # what it took, and what the kernel holds
    assert most <= len(frame)
    output.write("last")
    termios.tcflush(master, termios.TCIFLUSH)
    output.stop()
