"""How a supervisor gets its keeper, and what it says where it gets none."""

from __future__ import annotations

import asyncio
import gc
import os
import sys

import psutil
import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel import keeper_client
from overmind_core.kernel.keeper_client import KeeperConnection, KeeperStarter
from overmind_core.system import program_log
from overmind_core.system.lock import try_lock
from overmind_core.system.paths import Home
from overmind_core.system.unixsocket import listen
from tests.kit import in_process
from tests.kit.waiting import eventually


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path))


def refusal(home):
    """Why there is no keeper."""

    async def connect():
        await KeeperStarter(home, daemon=None).connect(print, print)

    with pytest.raises(OvermindError) as refused:
        asyncio.run(connect())
    return refused.value


def test_a_keeper_that_ends_without_a_word_is_started_again_ever_more_slowly(home, monkeypatch):
    monkeypatch.setattr(keeper_client, "START_SECONDS", 1.0)
    monkeypatch.setattr(keeper_client, "_keeper_argv", lambda *_: [sys.executable, "-c", "print('begun')"])
    refused = refusal(home)
    assert refused.code == "internal"
    assert refused.message.endswith(f"See {home.keeper_log}")
    with open(home.keeper_log, encoding="utf-8") as log:
        assert 2 <= log.read().count("begun") <= 5


def test_a_large_log_of_the_keeper_is_put_aside(home, monkeypatch):
    monkeypatch.setattr(keeper_client, "START_SECONDS", 0.1)
    monkeypatch.setattr(keeper_client, "_keeper_argv", lambda *_: [sys.executable, "-c", "print('begun')"])
    with open(home.keeper_log, "wb") as log:
        log.truncate(program_log.LIMIT + 1)
    refusal(home)
    assert os.stat(home.keeper_log).st_size < program_log.LIMIT < os.stat(home.keeper_log + ".1").st_size


def test_a_keeper_that_outlives_who_started_it_is_collected_once_it_ends(home, monkeypatch):
    listening = "import os, sys, time; os.write(int(sys.argv[1]), b'\\n'); time.sleep(600)"
    monkeypatch.setattr(keeper_client, "_keeper_argv", lambda _, ready: [sys.executable, "-c", listening, str(ready)])
    monkeypatch.setattr(keeper_client, "START_SECONDS", 1.0)
    before = psutil.Process().children()
    assert refusal(home).code == "internal"
    gc.collect()  # one that nobody has any more would be warned of
    started = [child for child in psutil.Process().children() if child not in before]
    assert started
    for child in started:
        child.kill()
    starter = KeeperStarter(home, daemon=None)

    def are_collected():
        starter.reap()
        return not any(child.is_running() for child in started)

    eventually(are_collected)


def test_a_keeper_that_does_not_say_hello_is_named_instead_of_waited_for(home, monkeypatch):
    monkeypatch.setattr(keeper_client, "MUTE_SECONDS", 0.05)
    lock = try_lock(home.keeper_lock)
    assert lock is not None
    with listen(home.keeper_socket):
        refused = refusal(home)
    lock.release()
    assert refused.code == "busy"
    assert refused.message.startswith(f"The keeper (PID {os.getpid()}) has not answered for")
    assert refused.message.endswith(f"As a last resort, end it and every mission with: kill -9 {os.getpid()}")


class Transport(asyncio.Transport):
    """Takes what is written, and gives nothing back."""

    def __init__(self):
        super().__init__()
        self.written = b""

    def write(self, data):
        self.written += data


def receive(link, data):
    link.get_buffer(-1)[: len(data)] = data
    link.buffer_updated(len(data))


def test_a_keeper_is_mute_only_after_it_gave_no_sign_of_life_when_it_was_asked_for_one():
    async def story():
        link = KeeperConnection(print, print)
        transport = Transport()
        link.connection_made(transport)
        await asyncio.sleep(100)
        assert not link.is_mute(), "nobody has asked it anything"
        link.request("purge")
        asked = 0
        for _ in range(10):
            await asyncio.sleep(5)
            assert not link.is_mute()
            await asyncio.sleep(0)
            asked = transport.written.count(b'"status"')
            receive(link, b'{"n": %d, "ok": {}}\n' % (asked + 1))
        assert asked >= 5, "an answer may take long"
        await asyncio.sleep(6)
        assert not link.is_mute()
        await asyncio.sleep(5)
        assert link.is_mute()
        receive(link, b'{"notice": "grown"}\n')
        assert not link.is_mute()

    in_process.run(story())
