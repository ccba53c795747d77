"""A real sshd of our own: its own port, keys and configuration, and an ssh that finds each hive behind a name."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.kit.overmind import REPOSITORY, Overmind
from tests.kit.processes import MARKER
from tests.kit.waiting import eventually

SERVER = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
CLIENT = shutil.which("ssh")
MISSING = "needs OpenSSH's client and server (apt-get install openssh-client openssh-server)"
AVAILABLE = SERVER is not None and CLIENT is not None


class Sshd:
    """One server. A key for each hive says in which home its gate begins; ssh's configuration knows which key is whose.

    Attributes:
        folder: Where its files are.
        bin: A folder for PATH, in which `ssh` is one with our configuration.
        port: On which it listens, at 127.0.0.1.
    """

    def __init__(self, folder: Path, marker: str) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.port = _free_port()
        self._marker = marker
        self._process: subprocess.Popen[bytes] | None = None
        self.bin.mkdir(parents=True)
        (folder / "keys").mkdir()
        _key(folder / "host_key")
        self._allowed = folder / "authorized_keys"
        self._allowed.touch(mode=0o600)
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {(folder / 'host_key.pub').read_text()}")
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile {folder}/pid\n"
            f"AuthorizedKeysFile {self._allowed}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 100\nLogLevel ERROR\n"
            f"SetEnv HOME={folder}\n"  # the account's shell reads no file of the person who runs the tests
        )
        self._config = folder / "ssh_config"
        self._config.write_text("")
        ssh = self.bin / "ssh"
        ssh.write_text(f'#!/bin/sh\nexec {CLIENT} -F {shlex.quote(str(self._config))} "$@"\n')
        ssh.chmod(0o755)

    def start(self) -> None:
        """Listen."""
        assert SERVER is not None
        if os.geteuid() == 0:  # where no service of the system has made it
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        environment = {"PATH": os.environ["PATH"], MARKER: self._marker}
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [SERVER, "-D", "-e", "-f", str(self.folder / "sshd_config")], stderr=log, env=environment
        )
        log.close()
        eventually(self._listens, timeout=20, what="sshd listens")

    def end(self) -> None:
        """End it and all of its sessions, frozen ones, too."""
        for pid in self.processes():
            _signal(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def processes(self) -> list[int]:
        """The sessions that it serves: its children and their children."""
        if self._process is None:
            return []
        found, waiting = [], [self._process.pid]
        while waiting:
            for child in _children(waiting.pop()):
                found.append(child)
                waiting.append(child)
        return found

    def cut(self) -> None:
        """Cut all connections that are there now."""
        for pid in self.processes():
            _signal(pid, signal.SIGKILL)

    def freeze(self, *, thaw: bool = False) -> None:
        """Stop the server with all of its sessions; `thaw`: let them go on."""
        number = signal.SIGCONT if thaw else signal.SIGSTOP
        assert self._process is not None
        for pid in [self._process.pid, *self.processes()]:
            _signal(pid, number)

    def serve(self, name: str, command: str, environment: Mapping[str, str], options: str = "restrict") -> None:
        """Have `ssh NAME` run a command here, whatever it asks for.

        Args:
            name: Of the host, for ssh.
            command: Given to the account's shell.
            environment: Of that command.
            options: Of the key's line, but the command.
        """
        key = self.folder / "keys" / name
        _key(key)
        given = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items())
        forced = f"cd / && exec env {given} {command}".replace('"', r"\"")
        with self._allowed.open("a") as file:
            file.write(f'{options},command="{forced}" {Path(f"{key}.pub").read_text()}')
        with self._config.open("a") as file:
            file.write(
                f"Host {name}\n  HostName 127.0.0.1\n  Port {self.port}\n  IdentityFile {key}\n  IdentitiesOnly yes\n"
                f"  UserKnownHostsFile {self.folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
            )

    def serve_home(self, name: str, home: Overmind, arguments: str = "", before: str = "") -> None:
        """Have `ssh NAME overmind gate` be the gate of a home.

        Args:
            name: Of the host.
            home: Whose gate.
            arguments: More of the gate's.
            before: Shell commands that come before it, such as a login shell's noise.
        """
        gate = f"{shlex.quote(sys.executable)} -P -m overmind_core.cli gate {arguments}"
        command = f"/bin/sh -c {shlex.quote(f'{before}; exec {gate}')}" if before else gate
        self.serve(name, command, home.environment | {"PYTHONPATH": REPOSITORY})

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def running(folder: Path, marker: str) -> Iterator[Sshd]:
    """Serve for as long as the block lasts."""
    server = Sshd(folder, marker)
    server.start()
    try:
        yield server
    finally:
        server.end()


def _key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(word) for word in text.split()]


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
