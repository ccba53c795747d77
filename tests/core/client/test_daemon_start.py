"""A started daemon is nobody's child, inherits nothing, and its failure is told."""

from __future__ import annotations

import json
import os
import sys

import pytest

from overmind_core.client import daemon
from overmind_core.errors import OvermindError
from overmind_core.system import program_log

DESCRIBE = """
import json, os, sys
facts = {"pid": os.getpid(), "sid": os.getsid(0), "pgid": os.getpgid(0), "cwd": os.getcwd(), "env": dict(os.environ),
         "fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd")), "umask": os.umask(0)}
with open(sys.argv[1], "w") as file:
    json.dump(facts, file)
os.write(3, b"1")
"""
REFUSE = 'import os; os.write(3, b\'{"error": "schema_newer", "message": "too new"}\')'
BREAK = "raise SystemExit('no luck today')"


@pytest.fixture
def daemon_is(monkeypatch):
    def become(code, *words):
        monkeypatch.setattr(daemon, "daemon_argv", lambda *_: [sys.executable, "-c", code, *words])

    return become


@pytest.mark.linux
def test_it_is_detached_from_whoever_started_it(place, daemon_is, monkeypatch, tmp_path):
    monkeypatch.setenv("OVERMIND_MISSION_ID", "a1b2c3d4")
    monkeypatch.setenv("OVERMIND_PARENT_ID", "a1b2c3d5")
    daemon_is(DESCRIBE, str(tmp_path / "facts"))
    leak = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(leak, True)

    launched = daemon.launch(place)

    os.close(leak)
    facts = json.loads((tmp_path / "facts").read_text())
    assert launched.ready
    assert launched.pid == facts["pid"]
    assert facts["sid"] not in {os.getsid(0), facts["pid"]}
    assert facts["cwd"] == "/"
    assert facts["umask"] == 0o077
    assert leak not in facts["fds"]
    assert not [name for name in facts["env"] if name.startswith(("OVERMIND_MISSION", "OVERMIND_PARENT"))]
    assert os.stat(place.root).st_mode & 0o777 == 0o700


def test_it_says_itself_why_it_could_not_start(place, join, daemon_is):
    daemon_is(REFUSE)

    with pytest.raises(OvermindError) as raised:
        join(place, start=True).call("ps")

    assert (raised.value.code, raised.value.message) == ("schema_newer", "too new")


def test_last_words_in_its_log_are_passed_on(place, join, daemon_is):
    daemon_is(BREAK)

    with pytest.raises(OvermindError) as raised:
        join(place, start=True).call("ps")

    assert raised.value.code == "internal"
    assert "no luck today" in raised.value.message


def test_a_home_that_is_a_file_is_refused(place, daemon_is, tmp_path):
    (tmp_path / "h").write_text("")

    with pytest.raises(OvermindError) as raised:
        daemon.launch(place)

    assert raised.value.code == "forbidden"


def test_a_large_log_is_put_aside(place, daemon_is):
    os.mkdir(place.root, 0o700)
    with open(place.daemon_log, "wb") as log:
        log.truncate(program_log.LIMIT + 1)
    daemon_is("import os; os.write(2, b'new'); os.write(3, b'1')")

    daemon.launch(place)

    with open(place.daemon_log) as log:
        assert log.read() == "new"
    assert os.path.exists(place.daemon_log + ".1")
