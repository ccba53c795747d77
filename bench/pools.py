"""Machines of another engine: a command on the gate of an instance of Slurm, kept by the command before it, and new.

Slurm and the PostgreSQL are real ones of this machine alone; `make test-pools` installs Slurm where it may.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from bench import postgres
from bench.figures import Figure, Row, Skipped, at_most, milliseconds, spread, take_turns
from bench.processes import duration
from bench.product import PATIENCE, Home, Product
from bench.sizes import choose_size
from overmind_core.system.paths import runtime_folder
from tests.kit import slurm

ROUNDS = choose_size(15, smoke=1)
GOAL = 2.0
LOOK_AGAIN = 0.2
"""Seconds between two looks at an instance that starts."""
STEP = ("--overlap", "--nodes=1", "--ntasks=1")
"""What a step needs to begin beside what runs in its job."""


def measure(product: Product, folder: str) -> Iterator[Row]:
    del folder
    if missing := slurm.missing():
        yield Skipped("pools", f"Slurm is not installed: {', '.join(missing)} (make test-pools installs it)")
        return
    with postgres.server("pools") as server:
        if isinstance(server, Skipped):
            yield server
            return
        product.install_swarm()
        with postgres.database(server) as url, slurm.running(uuid.uuid4().hex) as cluster:
            variables = {**cluster.environment, "PATH": f"{os.path.dirname(product.program)}:{os.environ['PATH']}"}
            with product.home(variables=variables) as home:
                yield from _commands(home, *_instance(home, url))


def _instance(home: Home, url: str) -> tuple[str, str]:
    """Have an instance of a pool that this home starts; return its name, and the number of its job."""
    pool = f"p-{uuid.uuid4().hex[:6]}"
    hive = f"h-{uuid.uuid4().hex[:6]}"
    home.command("swarm", "init", url)
    invited = json.loads(home.command("swarm", "invite", hive, "--role", "operator", "--json"))
    home.command("swarm", "join", invited["url"], "--slots", "0")
    lines = home.command("swarm", "invite", pool, "--role", "worker", "--pool").splitlines()
    Path(home.path, "config.toml").write_text(f'[pools.{pool}]\nengine = "slurm"\nmin = 1\n')
    invitation = lines[-1].removeprefix("overmind swarm join ").strip("'")
    subprocess.run(
        [home.product.program, "swarm", "join", "-"], env=home.environment, input=invitation.encode(),
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    until = time.monotonic() + PATIENCE
    while True:
        instances = json.loads(home.command("pool", "list", pool, "--json"))["instances"]
        if joined := [one for one in instances if one["state"] == "joined"]:
            break
        if time.monotonic() > until:
            raise RuntimeError(f"no instance has joined: {instances}")
        time.sleep(LOOK_AGAIN)
    return str(joined[0]["name"]), str(joined[0]["engine_id"])


def _commands(home: Home, instance: str, job: str) -> Iterator[Figure]:
    """`ps` of the instance, beside a step of its job that does nothing."""
    ours = [home.product.program, "ps", "-H", instance, "--json"]
    srun = shutil.which("srun", path=home.environment["PATH"])
    assert srun is not None
    theirs = [srun, *STEP, "--jobid", job, "true"]
    sides = {
        "overmind": lambda: duration(ours, home.environment),
        "srun true": lambda: duration(theirs, home.environment),
    }
    taken = take_turns(sides, rounds=ROUNDS)
    what = "`ps -H` of an instance of Slurm, by the gate that the command before it has left"
    yield at_most(what, taken["overmind"], taken["srun true"], GOAL, milliseconds)
    first = {**sides, "overmind": lambda: _without_gate(home, ours)}
    taken = take_turns(first, rounds=ROUNDS)
    what = "the first one, for which Slurm is asked and a gate begins there"
    (mine, beside) = (taken["overmind"], taken["srun true"])
    times = spread(mine, beside)
    yield Figure(what, milliseconds(mine.median), f"srun true {milliseconds(beside.median)}", times, "", met=True)


def _without_gate(home: Home, argv: list[str]) -> float:
    """Run a command after the kept gate has ended; return its seconds."""
    for kept in Path(runtime_folder(os.geteuid())).glob("gate-*"):
        kept.unlink(missing_ok=True)
    return duration(argv, home.environment)
