"""When an agent is ready: real listeners, commands and logs, and a supervisor that only knows where things are."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.domain.missions.mission import Definition, Mission, Status
from overmind_core.domain.plans.blueprint import Probe, ProbeKind
from overmind_core.domain.text.address import Address
from overmind_core.errors import OvermindError
from overmind_core.missions.changes import Extent
from overmind_core.missions.observer import MissionObserver
from overmind_core.probes import log_match, ownership, side_process
from overmind_core.probes.command import check
from overmind_core.probes.network import listening_problem, served_problem
from overmind_core.probes.poll import Watched
from overmind_core.probes.probe import NotReady, is_occupied, until_ready, was_ready
from overmind_core.system.listeners import Listener
from overmind_core.system.machine import SystemClock
from tests.kit.cases import tabled
from tests.kit.log_files import LogFiles
from tests.kit.overmind import REPOSITORY
from tests.kit.waiting import eventually

ID = "a1b2c3d4"


class Place:
    """Where a mission runs: its folder, its log, and as much of a supervisor as probes use."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "COLOUR": "red"}
        self.last_output = 0.0
        self.keeper = object()
        registry: Any = SimpleNamespace(live={})
        progress: Any = SimpleNamespace(
            refresh=self.refreshed, of=lambda _: Extent(last=self.last_output), link=self.keeper
        )
        launcher: Any = SimpleNamespace(surroundings=self.surroundings)
        trees: Any = SimpleNamespace(processes=self.processes)
        self.own: set[int] | None = {os.getpid()}
        """The processes of the mission."""
        self.observer = MissionObserver(
            logs=str(folder / "logs"),
            clock=SystemClock(),
            registry=registry,
            progress=progress,
            launcher=launcher,
            trees=trees,
        )
        self.progress = progress
        self.launcher = launcher

    def log(self, run=1):
        return LogFiles(self.folder / "logs" / ID / f"{run:06d}")

    def mission(self, *, began=None):
        definition = Definition("db", "postgres", ("postgres",), str(self.folder))
        started = time.monotonic() if began is None else began
        return Mission(ID, definition, 0.0, Status.RUNNING, run=1, run_started_mono=started)

    async def refreshed(self):
        """Nothing to ask."""

    async def processes(self, _):
        return self.own

    async def surroundings(self, _):
        return self.environment

    def is_ready(self, kind, target, *, timeout=20.0, **given):
        return until_ready(self.observer, self.mission(**given), Probe(kind, str(target), timeout))


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def bound(family=socket.AF_INET, host="127.0.0.1"):
    """A socket on a free port of its own, at which nobody listens yet."""
    made = socket.socket(family)
    made.bind((host, 0))
    return made


def why_not(work):
    with pytest.raises(NotReady) as refused:
        asyncio.run(work)
    return refused.value.why


@pytest.mark.parametrize("target", ["{}", "127.0.0.1:{}", "localhost:{}"])
def test_a_port_is_ready_once_somebody_listens(place, target):
    with bound() as server:

        async def scene():
            waiting = asyncio.create_task(place.is_ready(ProbeKind.TCP, target.format(server.getsockname()[1])))
            await asyncio.sleep(0)
            assert not waiting.done()
            server.listen()
            await waiting

        asyncio.run(scene())


@pytest.mark.parametrize("target", ["{}", "[::1]:{}"])
def test_a_port_of_the_other_family_is_ready_too(place, target):
    try:
        server = bound(socket.AF_INET6, "::1")
    except OSError:
        pytest.skip("no IPv6")
    with server:
        server.listen()
        asyncio.run(place.is_ready(ProbeKind.TCP, target.format(server.getsockname()[1])))


def test_a_port_at_which_nobody_listens_is_not_ready_in_time(place):
    with bound() as server:
        port = server.getsockname()[1]
        assert why_not(place.is_ready(ProbeKind.TCP, port, timeout=0.1)) == (
            f"after 0.1 s nothing listens on localhost:{port} (Connection refused)"
        )


def test_a_supervisor_that_comes_back_late_looks_before_it_judges(place):
    with bound() as server:
        server.listen()
        long_ago = time.monotonic() - 1000
        asyncio.run(place.is_ready(ProbeKind.TCP, server.getsockname()[1], timeout=5.0, began=long_ago))


@pytest.mark.parametrize(("look", "target"), [(listening_problem, "{}"), (served_problem, "http://127.0.0.1:{}/")])
def test_a_stranger_on_the_port_is_not_the_service(place, look, target):
    with bound() as stranger:
        stranger.listen()
        place.own = {1}
        watched = Watched(place.observer, place.mission(), {})
        said = asyncio.run(look(watched, target.format(stranger.getsockname()[1])))
    assert re.search(r"is held by \S+ \(PID \d+\), which it did not start", said)


ADDRESS = Address("localhost", 5432)
OURS, ANOTHER, PROXY = Listener(7, "postgres"), Listener(8, "python3"), Listener(9, "docker-proxy")
OWNERS = [
    # who holds the port, whether somebody held it before the start, what is said
    ([OURS], False, ""),
    ([OURS, ANOTHER], True, ""),
    ([ANOTHER], False, "localhost:5432 is held by python3 (PID 8), which it did not start"),
    ([PROXY], False, ""),
    ([PROXY], True, "another program was already listening on localhost:5432"),
    ([], False, ""),
    ([], True, "another program was already listening on localhost:5432"),
    (None, True, "another program was already listening on localhost:5432"),
]


@tabled(("found", "occupied", "said"), OWNERS)
def test_who_can_be_seen_on_the_port_must_be_its_own_and_nobody_may_have_been_there_before(found, occupied, said):
    assert ownership.problem(ADDRESS, found, {OURS.pid}, occupied=occupied) == said


def test_where_its_processes_are_unknown_only_who_was_there_before_is_a_stranger():
    assert ownership.problem(ADDRESS, [ANOTHER], None, occupied=False) == ""
    assert "already listening" in ownership.problem(ADDRESS, [ANOTHER], None, occupied=True)


def test_a_port_is_occupied_once_somebody_listens_on_it(place):
    with bound() as server:
        port = server.getsockname()[1]
        probes = [Probe(ProbeKind.TCP, str(port)), Probe(ProbeKind.HTTP, f"http://127.0.0.1:{port}/")]
        assert [asyncio.run(is_occupied(one)) for one in probes] == [False, False]
        server.listen()
        assert [asyncio.run(is_occupied(one)) for one in probes] == [True, True]
    assert not asyncio.run(is_occupied(Probe(ProbeKind.TCP, f"192.0.2.1:{port}")))
    assert not asyncio.run(is_occupied(Probe(ProbeKind.EXEC, "true")))


NONSENSE = [
    (ProbeKind.TCP, "db:http", "not an address"),
    (ProbeKind.TCP, "70000", "not a port"),
    (ProbeKind.HTTP, "ftp://localhost/", "not a URL"),
    (ProbeKind.HTTP, "http://localhost:99999/", "Port out of range"),
    (ProbeKind.LOG, "(", "not a valid regular expression"),
    (ProbeKind.IDLE, "soon", "not a duration"),
]


@pytest.mark.parametrize(("kind", "target", "said"), NONSENSE)
def test_what_makes_no_sense_is_told_at_once(place, kind, target, said):
    assert said in why_not(place.is_ready(kind, target))


class Server:
    """Answers each connection with the same bytes, and remembers what it was asked."""

    def __init__(self, answer, *, endless=False, tls=None):
        self._answer = answer
        self._endless = endless
        self._tls = tls
        self.asked = []
        self._answering = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()
        await asyncio.gather(*self._answering)  # what the loop leaves open is blamed on a later test

    async def _serve(self, reader, writer):
        self._answering.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self._answer)
            while self._endless:
                writer.write(b"x" * 65536)
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def ask(place, server, path="/", scheme="http", **given):
    async with server:
        await place.is_ready(ProbeKind.HTTP, f"{scheme}://localhost:{server.port}{path}", **given)


SERVED = [b"HTTP/1.1 200 OK\r\n\r\nhello", b"HTTP/1.0 204\r\n\r\n", b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n"]


@pytest.mark.parametrize("answer", SERVED)
def test_a_url_is_ready_when_it_is_answered_well_or_elsewhere(place, answer):
    asyncio.run(ask(place, Server(answer)))


def test_a_page_without_end_is_left(place):
    asyncio.run(ask(place, Server(SERVED[0], endless=True)))


def test_the_request_names_path_query_and_host(place):
    server = Server(SERVED[0])
    asyncio.run(ask(place, server, "/a b?c=1#d"))
    first, host, *_ = server.asked[0].decode().split("\r\n")
    assert (first, host) == ("GET /a%20b?c=1 HTTP/1.1", f"Host: localhost:{server.port}")


FAILING = [
    (b"HTTP/1.1 503 Wait\r\n\r\n", "answers with 503"),
    (b"SSH-2.0-OpenSSH\r\n", "does not speak HTTP"),
    (b"x" * 100_000, "does not speak HTTP"),
    (b"", "does not speak HTTP"),
]


@pytest.mark.parametrize(("answer", "said"), FAILING, ids=["503", "another", "endless", "none"])
def test_a_url_is_not_ready_with_another_answer(place, answer, said):
    assert said in why_not(ask(place, Server(answer), timeout=1.0))


CURVE = "ec_paramgen_curve:prime256v1"


LOOK = """
from overmind_core.daemon.__main__ import load_libraries
load_libraries()
import asyncio, sys
from overmind_core.probes.network import until_served
from overmind_core.probes.poll import Watched
assert "ssl" not in sys.modules
class Nobody:
    async def processes(self, mission):
        return None
asyncio.run(until_served(Watched(Nobody(), None, {}), sys.argv[1], print))
"""
"""A supervisor loads TLS when the first URL asks for it."""


def server_tls(tmp_path):
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    command = f"openssl req -x509 -newkey ec -pkeyopt {CURVE} -nodes -subj /CN=nobody -keyout {key} -out {certificate}"
    try:
        subprocess.run(shlex.split(command), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl that makes certificates")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    return tls


def test_a_certificate_is_not_looked_at(place, tmp_path):
    asyncio.run(ask(place, Server(SERVED[0], tls=server_tls(tmp_path)), scheme="https"))


def test_a_daemon_that_began_without_tls_learns_it(tmp_path):
    async def scene():
        async with Server(SERVED[0], tls=server_tls(tmp_path)) as server:
            url = f"https://localhost:{server.port}/"
            look = await asyncio.create_subprocess_exec(sys.executable, "-c", LOOK, url, cwd=REPOSITORY)
            assert await look.wait() == 0

    asyncio.run(scene())


def test_a_command_is_asked_until_it_succeeds(place):
    async def scene():
        waiting = asyncio.create_task(
            place.is_ready(ProbeKind.EXEC, "echo >> looks; test -e data && test $COLOUR = red")
        )
        await asyncio.to_thread(eventually, (place.folder / "looks").exists)
        assert not waiting.done()
        (place.folder / "data").touch()
        await waiting

    asyncio.run(scene())


COMMANDS = [
    ("true", ""),
    ("exit 3", "the command 'exit 3' exits with 3"),
    ("kill -9 $$", "the command 'kill -9 $$' is ended by signal 9"),
    ("test $COLOUR = $MORE", ""),
    ("echo out; echo err >&2; read line; test -z $line", ""),
]


@pytest.mark.parametrize(("command", "said"), COMMANDS)
def test_a_command_says_by_its_end_whether_it_is_ready(place, capfd, command, said):
    watched = Watched(place.observer, place.mission(), {"MORE": "red"})
    assert asyncio.run(check(watched, command)) == said
    assert capfd.readouterr() == ("", "")


def test_a_command_that_can_not_be_run_is_not_ready(place):
    async def gone(_):
        raise OvermindError("cwd_not_found", "The folder is gone.")

    place.launcher.surroundings = gone
    assert "The folder is gone." in asyncio.run(check(Watched(place.observer, place.mission(), {}), "true"))


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


LONG = "sleep 60 & echo $! > pid.new; mv pid.new pid; wait"


def long_running(place):
    return int(eventually(lambda: (place.folder / "pid").read_text() if (place.folder / "pid").exists() else ""))


@pytest.mark.linux
def test_a_command_that_takes_too_long_is_killed_with_its_children(place):
    why = asyncio.run(check(Watched(place.observer, place.mission(), {}), LONG, limit=0.3))
    assert "did not end within 0.3 s" in why
    eventually(lambda: is_gone(long_running(place)))


@pytest.mark.linux
def test_a_command_is_killed_with_its_children_when_nobody_waits_any_more(place):
    async def scene():
        waiting = asyncio.create_task(place.is_ready(ProbeKind.EXEC, LONG))
        await asyncio.to_thread(long_running, place)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(scene())
    eventually(lambda: is_gone(long_running(place)))


OUTPUTS = [
    # what it writes, what is looked for
    (b"starting\nlistening on 5432\n", r"listening on \d+$"),
    (b"\x1b[32mready\x1b[0m now\n", "^ready now$"),
    (b"10%\r100%\n", "^100%$"),
    (b"login: ", "^login: $"),
    (b"x\n" * 100_000 + b"last\n", "^last$"),
]


@pytest.mark.parametrize(("output", "pattern"), OUTPUTS, ids=range(len(OUTPUTS)))
def test_a_line_of_the_output_makes_it_ready(place, output, pattern):
    place.log().out(output, 1.0)
    asyncio.run(place.is_ready(ProbeKind.LOG, pattern))


def test_a_line_that_comes_later_or_in_a_later_run_makes_it_ready(place):
    first, errors = place.log(), place.log(run=2)
    first.out(b"starting\n", 1.0)

    async def scene():
        waiting = asyncio.create_task(place.is_ready(ProbeKind.LOG, "ready"))
        await asyncio.sleep(0)
        first.out(b"out of memory\n", 2.0)
        errors.err(b"ready\n", 3.0)
        await waiting

    asyncio.run(scene())


ENDED = [
    (ProbeKind.LOG, "^listening$", b"starting\nlistening\n", True),
    (ProbeKind.LOG, "^login: $", b"login: ", True),
    (ProbeKind.LOG, "^last$", b"x\n" * 100_000 + b"last", True),
    (ProbeKind.LOG, "^listening$", b"starting\n", False),
    (ProbeKind.LOG, "(", b"(\n", False),
    (ProbeKind.EXEC, "true", b"", True),
    (ProbeKind.EXEC, "false", b"", False),
    (ProbeKind.IDLE, "0.01", b"", False),
    (ProbeKind.TCP, "1", b"", False),
]


@pytest.mark.parametrize(("kind", "target", "output", "expected"), ENDED, ids=range(len(ENDED)))
def test_who_ends_before_its_probe_is_judged_by_all_that_it_wrote(place, kind, target, output, expected):
    if output:
        place.log().out(output, 1.0)
    assert asyncio.run(was_ready(place.observer, place.mission(), Probe(kind, target))) is expected


def test_an_expression_that_explodes_holds_nobody_up_and_is_left(place, monkeypatch):
    programs = []

    def ended(process):
        programs.append(process)
        return side_process.ended(process)

    monkeypatch.setattr(log_match, "ended", ended)
    place.log().out(b"a" * 40 + b"b\n", 1.0)
    assert "no line of its output matches" in why_not(place.is_ready(ProbeKind.LOG, "^(a+)+$", timeout=0.5))
    assert [program.returncode for program in programs] == [-signal.SIGKILL]


def test_silence_makes_it_ready(place):
    began = time.monotonic()
    place.last_output = began + 0.1
    asyncio.run(place.is_ready(ProbeKind.IDLE, "0.1", began=began))
    assert time.monotonic() >= began + 0.2


def test_without_a_keeper_silence_means_nothing(place):
    place.progress.link = None
    assert "never quiet" in why_not(place.is_ready(ProbeKind.IDLE, "0.01", timeout=0.1))
