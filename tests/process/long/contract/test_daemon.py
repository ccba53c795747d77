"""The daemon's own commands, and when a daemon is started, needed or missed."""

from __future__ import annotations

import os
import signal
import socket

import pytest


@pytest.mark.long
def test_a_socket_that_nobody_reads_ends_in_a_clear_error_and_never_in_a_hang(om):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(om.path("overmind.sock"))
        deaf.listen(0)
        sentence = om.refused("ps", code="busy")
    assert "answer" in sentence


@pytest.mark.long
def test_a_stopped_daemon_ends_in_a_clear_error_and_never_in_a_hang(om):
    om.ok("start")
    os.kill(om.supervisor_pid(), signal.SIGSTOP)
    try:
        om.refused("ps", code="busy")
    finally:
        os.kill(om.supervisor_pid(), signal.SIGCONT)
    assert om.ps() == []
