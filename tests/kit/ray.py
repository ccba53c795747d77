"""A real Ray of our own: a head on loopback, with its own ports and files."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.kit import processes
from tests.kit.slurm import free_ports
from tests.kit.waiting import eventually

_OWN = "OMTEST_RAY"
"""Variable that all processes of a head have, its jobs' too: `ray stop` would end every Ray of this machine."""
_STORE = 80_000_000
"""Bytes, nearly as few as it takes."""


class Ray:
    """A cluster of one node.

    Attributes:
        bin: A folder for PATH, with `ray` alone.
        address: Of its dashboard, which takes jobs.
    """

    def __init__(self, program: str, folder: Path, marker: str) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "ray").symlink_to(program)
        gcs, self._dashboard, clients, agent = free_ports(4)
        self.address = f"http://127.0.0.1:{self._dashboard}"
        self._environment = {
            "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",  # its jobs find `overmind`
            "HOME": str(folder), "LC_ALL": "C.UTF-8", processes.MARKER: marker, _OWN: str(folder),
        }  # fmt: skip
        self._head: subprocess.Popen[bytes] | None = None
        self._words = [
            program, "start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={gcs}",
            "--dashboard-host=127.0.0.1", f"--dashboard-port={self._dashboard}", f"--ray-client-server-port={clients}",
            f"--dashboard-agent-listen-port={agent}", "--num-cpus=2", f"--object-store-memory={_STORE}",
            f"--temp-dir={folder}/t", "--disable-usage-stats",
        ]  # fmt: skip

    def start(self) -> None:
        """Start the head, and wait until it takes jobs."""
        with (self.folder / "log").open("ab") as log:
            self._head = subprocess.Popen(
                self._words, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        eventually(self._answers, timeout=100.0, what=f"Ray answers; it wrote {self.folder}/log")

    def end(self) -> None:
        """Kill all of it: those below the head, and those that have left it."""
        found = set(processes.with_variable(_OWN, str(self.folder), on_machine=True))
        if self._head is not None:  # some write their title over the environment
            with contextlib.suppress(psutil.NoSuchProcess):
                found.update(one.pid for one in psutil.Process(self._head.pid).children(recursive=True))
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._head is not None:
            self._head.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/api/jobs/", timeout=5.0) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def running(program: str, marker: str) -> Iterator[Ray]:
    """A head that runs; afterwards nothing of it does."""
    folder = Path(tempfile.mkdtemp(prefix="omray-", dir="/tmp"))  # its sockets need a short path
    cluster = Ray(program, folder, marker)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.end()
        shutil.rmtree(folder, ignore_errors=True)
