"""A real Slurm of our own: controller, node and munge with own ports, keys and files, as whoever runs the tests."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.kit import processes
from tests.kit.waiting import eventually

SYSTEM = "/usr/sbin:/usr/local/sbin"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "srun", "scontrol")
CPUS = 8
"""Of the one node, whatever the machine has: as many instances fit at once."""
_PATIENCE = 60.0


def missing() -> list[str]:
    """The programs of Slurm that are not installed here."""
    path = f"{os.environ.get('PATH', '')}:{SYSTEM}"
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


class Slurm:
    """One cluster with one node.

    Attributes:
        config: Path of its slurm.conf; clients find it by `SLURM_CONF`, which is in the environment of all that runs in
            its jobs, too.
    """

    def __init__(self, folder: Path, marker: str) -> None:
        self.folder = folder
        self.config = str(folder / "slurm.conf")
        self._environment = {
            "PATH": f"{os.environ['PATH']}:{SYSTEM}",
            "HOME": str(folder),
            processes.MARKER: marker,
            "SLURM_CONF": self.config,
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("state", "spool", "munge"):
            (folder / name).mkdir()
        for one in (folder, folder / "munge"):
            one.chmod(0o755)  # munge refuses others
        key = folder / "munge.key"
        key.write_bytes(os.urandom(256))
        key.chmod(0o400)
        controller, node = free_ports(2)
        host = socket.gethostname().split(".")[0]
        Path(self.config).write_text(
            f"ClusterName=tests\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={controller}\nSlurmdPort={node}\n"
            f"SlurmUser={getpass.getuser()}\nSlurmdUser={getpass.getuser()}\n"
            f"AuthType=auth/munge\nAuthInfo=socket={folder}/munge/socket\n"
            f"StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool\n"
            f"SlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/slurmd.pid\n"
            # No control groups and no PMI: neither is to be had in every container.
            "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nMpiDefault=none\nReturnToService=2\n"
            "SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\nSlurmdParameters=config_overrides\n"
            "SchedulerParameters=batch_sched_delay=0,sched_interval=1\n"
            f"NodeName={host} NodeAddr=127.0.0.1 CPUs={CPUS} State=UNKNOWN\n"
            "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        )

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which a program finds this cluster."""
        return {"SLURM_CONF": self.config}

    def start(self) -> None:
        """Start everything, and wait until jobs can run."""
        munge = self.folder / "munge"
        self._start(
            "munged", "--foreground", f"--key-file={self.folder}/munge.key", f"--socket={munge}/socket",
            f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed",
        )  # fmt: skip
        eventually((munge / "socket").exists, timeout=_PATIENCE, what="munge listens")
        self.start_controller()
        self._start("slurmd", "-D")
        eventually(lambda: "idle" in self.run("sinfo", "--noheader", "--format=%T"), timeout=_PATIENCE, what="a node")

    def start_controller(self) -> None:
        """Start the controller, and wait until it answers."""
        self._start("slurmctld", "-D")
        eventually(lambda: "is UP" in self.run("scontrol", "ping"), timeout=_PATIENCE, what="the controller answers")

    def kill_controller(self) -> None:
        """SIGKILL the controller."""
        process = self._running.pop("slurmctld")
        process.kill()
        process.wait()

    def run(self, *words: str) -> str:
        """Run one of its programs to its end; return what it printed, errors too."""
        return subprocess.run(
            words, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=_PATIENCE, check=False,
        ).stdout.decode()  # fmt: skip

    def jobs(self) -> list[list[str]]:
        """Number, state and name of each job that has not ended."""
        printed = self.run("squeue", "--noheader", "--format=%i %T %j")
        return [line.split() for line in printed.splitlines()]

    def processes(self) -> list[int]:
        """Processes of its jobs, whatever has become of their parents."""
        own = {process.pid for process in self._running.values()}
        found = processes.with_variable("SLURM_CONF", self.config, on_machine=True)
        return [pid for pid in found if pid not in own and _is_job(pid)]

    def end(self) -> list[str]:
        """End everything; return what had outlived its job."""
        self.run("scancel", "--user", getpass.getuser())
        with contextlib.suppress(AssertionError):
            eventually(lambda: not self.processes(), timeout=45.0, what="the jobs have ended")
        left = [f"pid {pid}: {_command(pid)}" for pid in self.processes()]
        for process in self._running.values():
            process.kill()
            process.wait()
        self._running.clear()
        for pid in processes.with_variable("SLURM_CONF", self.config, on_machine=True):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return left

    def _start(self, program: str, *options: str) -> None:
        with (self.folder / f"{program}.log").open("ab") as log:
            self._running[program] = subprocess.Popen(
                [program, *options], env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, executable=shutil.which(program, path=self._environment["PATH"]),
            )  # fmt: skip


@contextmanager
def running(marker: str) -> Iterator[Slurm]:
    """A cluster that runs; afterwards none of it does, and nothing has outlived its job."""
    folder = Path(tempfile.mkdtemp(prefix="overmind-slurm-"))  # pytest's own are closed to others, which munge refuses
    cluster = Slurm(folder, marker)
    left: Sequence[str] = ()
    try:
        cluster.start()
        yield cluster
    finally:
        left = cluster.end()
        shutil.rmtree(folder, ignore_errors=True)
    assert not left, "outlived its job:\n" + "\n".join(left)


def _is_job(pid: int) -> bool:
    """Whether a process is a job's: Slurm's own have no job in their environment, and are called so."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = file.read().split(b"\0")
    except OSError:
        return False
    return any(one.startswith(b"SLURM_JOB_ID=") for one in variables) and not _command(pid).startswith("slurmstepd")


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def free_ports(count: int) -> list[int]:
    """Ports at 127.0.0.1 that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
