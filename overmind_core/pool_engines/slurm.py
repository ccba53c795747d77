"""A pool of Slurm: each instance is a job of this account, found again by its name.

A job gets a few variables of the environment that starts it, and none that could hold a secret: `sbatch` itself has no
more than those, for with a list of its own (`--export`) it would have a login shell run on the node first. A job of a
name waits for the one before it (`--dependency=singleton`), so that an instance that was asked for twice never runs
beside itself.

Source: sbatch(1), squeue(1), sacct(1), scancel(1), srun(1) of Slurm 22.05.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence

from overmind_core.domain.swarm.instance_names import is_instance_name
from overmind_core.domain.swarm.pools import PoolSettings, filled
from overmind_core.pool_engines.program import EngineSilent, SeenInstance, State, asked, failed, run

EXPORTED = ("HOME", "LANG", "LOGNAME", "PATH", "SHELL", "USER")
"""Variables that a job gets, besides Slurm's own."""
_FOR_SBATCH = ("SBATCH_", "SLURM_CONF")
"""How the names of those begin that are for `sbatch`."""
REMEMBERED = "now-2days"
"""Since when sacct is asked for jobs: the controller forgets those that ended after some minutes."""
STEP = ("srun", "--overlap", "--unbuffered", "--nodes=1", "--ntasks=1")
"""What runs one program in a job: beside what runs there, and not as often as the job has tasks. Buffered, Slurm would
keep what comes behind the last end of a line."""
_SUBMITTED = re.compile(r"([0-9]{1,10})(?:;[A-Za-z0-9._-]+)?")
_ID = re.compile(r"[0-9]{1,10}")
_PENDING = frozenset({"CONFIGURING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD"})
_ENDED = frozenset({
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",
    "SPECIAL_EXIT", "TIMEOUT",
})  # fmt: skip
"""States of a job of which nothing runs any more. One that is COMPLETING has processes that are being ended."""
_GONE = re.compile(r"Invalid job id|already completing or completed", re.IGNORECASE)
_NO_ACCOUNTS = re.compile(r"accounting storage is disabled|Slurm accounting storage", re.IGNORECASE)


class SlurmEngine:
    """The programs of Slurm, as this account."""

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings
        self._has_accounts = True

    def start(self, instance: str, command: Sequence[str]) -> str:
        """As in `Engine`."""
        for one in self._queue():
            if one.name == instance and one.state != "ended":
                return one.engine_id
        argv = submission(self._settings.args, instance)
        answer = run(argv, script(command), variables=variables(os.environ))
        if answer.code != 0:
            raise failed(argv, answer)
        return submitted(answer.out)

    def seen(self) -> list[SeenInstance]:
        """As in `Engine`."""
        queued = self._queue()
        known = {one.engine_id for one in queued}
        # What the controller has forgotten has ended, whatever its accounts say of it.
        return queued + [one for one in self._accounts() if one.engine_id not in known and one.state == "ended"]

    def alive(self) -> list[SeenInstance]:
        """As in `Engine`."""
        return self._queue()

    def end(self, seen: SeenInstance) -> None:
        """As in `Engine`."""
        argv = ["scancel", f"--user={os.geteuid()}", f"--name={seen.name}", _checked(seen.engine_id)]
        answer = run(argv)
        if answer.code != 0 and _GONE.search(answer.err) is None:
            raise failed(argv, answer)

    def gate(self, seen: SeenInstance) -> list[str]:
        """As in `Engine`."""
        return [*STEP, "--jobid", _checked(seen.engine_id), "overmind", "gate", "--instance", seen.name]

    def _queue(self) -> list[SeenInstance]:
        argv = ["squeue", f"--user={os.geteuid()}", "--states=all", "--noheader", "--format=%A|%T|%j"]
        return listed(asked(argv))

    def _accounts(self) -> list[SeenInstance]:
        """Return what the accounts know; nothing where the cluster keeps none."""
        if not self._has_accounts:
            return []
        argv = [
            "sacct", f"--user={os.geteuid()}", "--allocations", "--noheader", "--parsable2",
            f"--starttime={REMEMBERED}", "--format=JobIDRaw,State,JobName%64",
        ]  # fmt: skip
        answer = run(argv)
        if answer.code != 0:
            self._has_accounts = _NO_ACCOUNTS.search(answer.err) is None
            return []
        return listed(answer.out)


def submission(args: Sequence[str], instance: str) -> list[str]:
    """Return the command that submits an instance; its script is read from standard input.

    Raises:
        ValueError: no instance can be called so.
    """
    (name,) = filled([instance], instance)
    ours = ["--parsable", "--job-name", name, "--no-requeue"]
    return ["sbatch", "--export=ALL", "--output=/dev/null", "--dependency=singleton", *args, *ours]


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `sbatch`, and so of the job."""
    return {name: value for name, value in environ.items() if name in EXPORTED or name.startswith(_FOR_SBATCH)}


def script(command: Sequence[str]) -> str:
    """Return the script of a job: signals reach the command, for it takes the shell's place."""
    return f"#!/bin/sh\nexec {shlex.join(command)}\n"


def submitted(printed: str) -> str:
    """Return the number of the job that `sbatch --parsable` printed.

    Raises:
        EngineSilent: it printed something else.
    """
    found = _SUBMITTED.fullmatch(printed.strip())
    if found is None:
        raise EngineSilent("sbatch printed no number of a job. Look with: squeue --me")
    return found[1]


def listed(printed: str) -> list[SeenInstance]:
    """Return the instances of what squeue or sacct printed, `id|state|name` a line; all else is passed over."""
    found = []
    for line in printed.splitlines():
        engine_id, state, name = (*line.strip().split("|", 2), "", "")[:3]
        if _ID.fullmatch(engine_id) and state and is_instance_name(name):
            found.append(SeenInstance(name, engine_id, state_of(state)))
    return found


def state_of(said: str) -> State:
    """Return what a state of Slurm means; one that nobody knows: there may be processes."""
    word = said.split(" ", 1)[0].rstrip("+")  # CANCELLED by 1000
    if word in _ENDED:
        return "ended"
    return "pending" if word in _PENDING else "running"


def _checked(engine_id: str) -> str:
    if _ID.fullmatch(engine_id) is None:
        raise EngineSilent("Slurm gives its jobs numbers, and this is another word. Look with: squeue --me")
    return engine_id
