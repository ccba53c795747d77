"""A PostgreSQL of one test: to be killed, frozen, restarted, copied and promoted. It listens on a socket alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psutil

from tests.kit.waiting import eventually

RELEASE = "15"


def _programs() -> str:
    """Where the server's programs are: of the one that `make test-postgres` has copied, else Debian's."""
    copied = os.path.join(os.environ.get("OVERMIND_POSTGRES_FOLDER", ""), "usr/lib/postgresql", RELEASE, "bin")
    return copied if os.path.exists(copied) else f"/usr/lib/postgresql/{RELEASE}/bin"


class PostgresServer:
    """A server with data and socket in a folder of its own."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.url = f"postgresql:///postgres?host={folder}&user=postgres"

    def program(self, name: str, *arguments: str) -> None:
        """Run one of its programs as whom the server runs as."""
        command = [os.path.join(_programs(), name), *arguments]
        if os.geteuid() == 0:  # the server refuses to run as root
            command = ["runuser", "-u", "postgres", "--", *command]
        # A file, as a server that stays holds on to what it was given for output.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=120,
                check=False,
            )
            output.seek(0)
            assert done.returncode == 0, (command, output.read().decode(), self.log())

    def log(self) -> str:
        """The end of what it has written itself."""
        try:
            with open(os.path.join(self.folder, "log"), encoding="utf-8") as file:
                return file.read()[-1000:]
        except FileNotFoundError:
            return ""

    def make(self) -> None:
        """An empty server; it is not started."""
        self.program("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N")
        self.configure("listen_addresses = ''", f"unix_socket_directories = '{self.folder}'", "max_connections = 60",
                       "wal_level = replica", "max_wal_senders = 4", "hot_standby = on")  # fmt: skip

    def configure(self, *lines: str) -> None:
        """Settings from its next start on."""
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.program("pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", os.path.join(self.folder, "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        """End it: `fast`, or `immediate`, as a crash does."""
        self.program("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def promote(self) -> None:
        """Let a standby be the primary."""
        self.program("pg_ctl", "-D", self.data, "-w", "promote")

    def reload(self) -> None:
        """Have it read its files again."""
        self.program("pg_ctl", "-D", self.data, "reload")

    def processes(self) -> list[psutil.Process]:
        """Its processes, the first one first."""
        with open(os.path.join(self.data, "postmaster.pid"), encoding="utf-8") as file:
            first = psutil.Process(int(file.readline()))
        return [first, *first.children(recursive=True)]

    def kill(self) -> None:
        """Kill all of it at once."""
        gone = self.processes()
        for one in gone:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        eventually(lambda: not any(one.is_running() and one.status() != "zombie" for one in gone), what="it is gone")
        # Nobody may have waited for the first process: its number then still seems to be a server's.
        os.unlink(os.path.join(self.data, "postmaster.pid"))
        os.unlink(os.path.join(self.folder, ".s.PGSQL.5432.lock"))

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All of it stands still meanwhile."""
        stopped = self.processes()
        for one in stopped:
            os.kill(one.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in stopped:
                with suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGCONT)

    def copy_to(self, other: PostgresServer, *, standby: bool) -> None:
        """Copy it as it is into another one, which follows it where that is to be a standby."""
        more = ["-R"] if standby else []
        self.program(
            "pg_basebackup", "-D", other.data, "-h", self.folder, "-U", "postgres", "-c", "fast", "-X", "stream", *more
        )
        other.configure(f"unix_socket_directories = '{other.folder}'")


@contextmanager
def _folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="overmind-pg-")  # short: a socket's path has at most 107 bytes
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def servers() -> Iterator[_Servers]:
    """Makes servers, which all end, and leave nothing."""
    with ExitStack() as stack:
        yield _Servers(stack)


class _Servers:
    """Servers of one test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def empty(self) -> PostgresServer:
        """One that has nothing, not even data; what it has in the end is removed."""
        server = PostgresServer(self._stack.enter_context(_folder()))
        self._stack.callback(self._end, server)
        return server

    def started(self) -> PostgresServer:
        """One that answers."""
        server = self.empty()
        server.make()
        server.start()
        return server

    def standby_of(self, primary: PostgresServer) -> PostgresServer:
        """One that follows another one."""
        server = self.empty()
        primary.copy_to(server, standby=True)
        server.start()
        return server

    @staticmethod
    def _end(server: PostgresServer) -> None:
        if os.path.exists(os.path.join(server.data, "postmaster.pid")):
            with suppress(AssertionError):
                server.stop("immediate")
