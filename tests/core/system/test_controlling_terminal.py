"""The terminal that another process sits at, and when it may be used."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import termios
import tty

import pytest

from overmind_core.system.controlling_terminal import ControllingTerminal, identity_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who sits at which terminal")


class Sitting:
    """A process that leads a session on a terminal, and does what it is told: stop, leave the foreground, end."""

    def __init__(self, *, controls=True):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        told, self._tell = os.pipe()
        self._said, say = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.master)
                os.setsid()
                if controls:
                    fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
                signal.signal(signal.SIGTTOU, signal.SIG_IGN)
                os.write(say, b".")
                os.read(told, 1)
                other = os.fork()
                if other == 0:
                    signal.pause()
                os.setpgid(other, other)
                os.tcsetpgrp(self.slave, other)
                os.write(say, b".")
                os.read(told, 1)
                os.tcsetpgrp(self.slave, os.getpgrp())
                os.kill(other, signal.SIGKILL)
                os.waitpid(other, 0)
                os.write(say, b".")
                signal.pause()
            finally:
                os._exit(0)
        for fd in (told, say):
            os.close(fd)
        os.read(self._said, 1)

    def go_on(self):
        """Put somebody else into the foreground; the second time, come back."""
        os.write(self._tell, b".")
        os.read(self._said, 1)

    @property
    def identity(self):
        return identity_of(self.slave)

    def signal(self, number, option):
        os.kill(self.pid, number)
        os.waitpid(self.pid, option)

    def end(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        for fd in (self.master, self.slave, self._tell, self._said):
            if fd >= 0:
                os.close(fd)


@pytest.fixture
def sitting():
    person = Sitting()
    yield person
    person.end()


@pytest.fixture
def opened(sitting):
    terminal = ControllingTerminal(sitting.pid, sitting.identity)
    yield terminal
    terminal.close()


def test_keys_are_read_and_output_is_shown_by_a_description_of_our_own(sitting, opened):
    os.set_blocking(sitting.slave, True)
    with pytest.raises(BlockingIOError):
        opened.read()
    os.write(sitting.master, b"key")
    assert select.select([opened], [], [], 20)[0]
    assert opened.read() == b"key"
    assert opened.write(b"echo") == 4
    assert os.read(sitting.master, 10) == b"echo"
    assert os.get_blocking(sitting.slave), "what the process has open is as it was"


def test_a_full_terminal_takes_what_it_can_and_makes_nobody_wait(opened):
    def fill():
        while opened.write(b"x" * 65536):
            pass

    with pytest.raises(BlockingIOError):
        fill()


def test_it_never_becomes_our_own_terminal(sitting, opened):
    assert opened.is_in_foreground()
    with open("/proc/self/stat") as file:
        device = int(file.read().rpartition(")")[2].split()[4])
    with open(f"/proc/{sitting.pid}/stat") as file:
        assert device != int(file.read().rpartition(")")[2].split()[4])


def test_it_is_used_only_while_the_process_is_in_the_foreground(sitting, opened):
    sitting.go_on()
    assert not opened.is_in_foreground()
    with pytest.raises(BlockingIOError):
        ControllingTerminal(sitting.pid, sitting.identity)
    sitting.go_on()
    assert opened.is_in_foreground()


def test_it_is_not_used_while_the_process_is_stopped(sitting, opened):
    sitting.signal(signal.SIGSTOP, os.WUNTRACED)
    assert not opened.is_in_foreground()
    sitting.signal(signal.SIGCONT, os.WCONTINUED)
    assert opened.is_in_foreground()


def test_it_is_not_used_once_the_process_has_ended_though_nobody_has_reaped_it(sitting, opened):
    os.kill(sitting.pid, signal.SIGKILL)
    os.waitid(os.P_PID, sitting.pid, os.WEXITED | os.WNOWAIT)
    assert not opened.is_in_foreground()
    os.waitpid(sitting.pid, 0)
    assert not opened.is_in_foreground()


def test_a_terminal_that_hangs_up_is_told_by_an_error(sitting, opened):
    os.close(sitting.master)
    sitting.master = -1
    with pytest.raises(OSError, match="Input/output error"):
        opened.write(b"x")
    assert opened.read() == b""


def test_another_terminal_than_the_process_own_is_refused(sitting):
    master, slave = os.openpty()
    try:
        for identity in (identity_of(slave), (0, 0), (sitting.identity[0], 1 << 40), (1 << 40, sitting.identity[1])):
            with pytest.raises(PermissionError):
                ControllingTerminal(sitting.pid, identity)
    finally:
        os.close(master)
        os.close(slave)


def test_a_process_without_a_terminal_has_none(sitting):
    other = Sitting(controls=False)
    try:
        with pytest.raises(PermissionError):
            ControllingTerminal(other.pid, other.identity)
    finally:
        other.end()


def test_a_process_that_is_not_there_has_none(sitting):
    os.kill(sitting.pid, signal.SIGKILL)
    os.waitpid(sitting.pid, 0)
    with pytest.raises(OSError):  # noqa: PT011 -- whichever way the system says so
        ControllingTerminal(sitting.pid, sitting.identity)


def test_nothing_stays_open_after_a_refusal(sitting):
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(PermissionError):
            ControllingTerminal(sitting.pid, (0, 0))
    assert os.listdir("/proc/self/fd") == before


def test_closing_twice_is_harmless(opened):
    opened.close()
    opened.close()
    assert opened.fileno() == -1
    assert not opened.is_in_foreground()
