"""The engine of Slurm against a real controller and node: jobs by their names, through its death, to their ends."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from overmind_core.domain.swarm.pools import pool_of
from overmind_core.pool_engines.engine import Engine, EngineSilent, SeenInstance, engine_of
from tests.kit import processes
from tests.kit.slurm import Slurm
from tests.kit.waiting import eventually

PATIENCE = 60.0


@pytest.fixture
def engine(cluster: Slurm, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("SLURM_CONF", cluster.config)
    return engine_of(pool_of("hpc", {"engine": "slurm"}))


def only(engine: Engine, name: str) -> list[SeenInstance]:
    return [one for one in engine.seen() if one.name == name]


def wait_state(engine: Engine, name: str, state: str) -> SeenInstance:
    return eventually(
        lambda: next((one for one in only(engine, name) if one.state == state), None),
        timeout=PATIENCE, what=f"{name} is {state}",
    )  # type: ignore[return-value] # a true answer  # fmt: skip


def test_an_instance_is_started_found_by_its_name_and_ended(engine, cluster, tmp_path):
    written = tmp_path / "words"
    hostile = ["$(id)", "a b", "'", "*"]
    script = f'printf "%s\\n" "$@" >{written}.new; mv {written}.new {written}; exec sleep 600'
    job = engine.start("hpc-1", ["sh", "-c", script, "sh", *hostile])
    assert wait_state(engine, "hpc-1", "running") == ("hpc-1", job, "running")
    eventually(written.exists, timeout=PATIENCE, what="the command runs")
    assert written.read_text().splitlines() == hostile
    engine.end(SeenInstance("hpc-1", job, "running"))
    wait_state(engine, "hpc-1", "ended")
    eventually(lambda: not cluster.processes(), timeout=PATIENCE, what="nothing of the job is left")
    engine.end(SeenInstance("hpc-1", job, "ended"))  # gone already is fine
    engine.end(SeenInstance("hpc-1", "999999", "running"))


def test_an_instance_that_is_asked_for_twice_is_one_job(engine, cluster):
    job = engine.start("hpc-2", ["sleep", "600"])
    assert engine.start("hpc-2", ["sleep", "600"]) == job
    wait_state(engine, "hpc-2", "running")
    # Somebody else asked meanwhile, and his answer was lost: his job waits for ours, and never runs beside it.
    other = cluster.run(
        "sbatch", "--parsable", "--job-name=hpc-2", "--dependency=singleton", "--wrap=sleep 600"
    ).strip()
    assert sorted(one.state for one in only(engine, "hpc-2")) == ["pending", "running"]
    for number in (other, job):
        engine.end(SeenInstance("hpc-2", number, "running"))
    eventually(lambda: not cluster.jobs(), timeout=PATIENCE, what="no job is left")


def test_nothing_of_the_environment_reaches_a_job_but_a_few_variables(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("API_KEY", "planted-4711")
    monkeypatch.setenv("OVERMIND_HOME", "/planted-4711")
    written = tmp_path / "environment"
    job = engine.start("hpc-3", ["sh", "-c", f"env >{written}.new; mv {written}.new {written}"])
    eventually(written.exists, timeout=PATIENCE, what="the command has run")
    assert "planted-4711" not in written.read_text()
    assert f"HOME={os.environ['HOME']}" in written.read_text().splitlines()
    wait_state(engine, "hpc-3", "ended")
    engine.end(SeenInstance("hpc-3", job, "ended"))


def test_a_job_is_told_to_end_before_it_is_killed(engine, tmp_path):
    told, ready = tmp_path / "told", tmp_path / "ready"
    job = engine.start("hpc-4", ["sh", "-c", f"trap 'echo >{told}; exit 0' TERM; echo >{ready}; sleep 600 & wait"])
    eventually(ready.exists, timeout=PATIENCE, what="the command runs")
    engine.end(SeenInstance("hpc-4", job, "running"))
    eventually(told.exists, timeout=PATIENCE, what="the command was told")
    wait_state(engine, "hpc-4", "ended")


def test_a_gate_runs_in_the_job(engine, cluster, tmp_path):
    ready = tmp_path / "ready"
    job = engine.start("hpc-5", ["sh", "-c", f"echo >{ready}; exec sleep 600"])
    eventually(ready.exists, timeout=PATIENCE, what="the command runs")
    gate = engine.gate(SeenInstance("hpc-5", job, "running"))
    assert gate is not None
    at = gate.index("overmind")
    assert subprocess.run([*gate[:at], "printenv", "SLURM_JOB_ID"], capture_output=True).stdout.decode().strip() == job
    every = bytes(range(256)) * 1000
    assert subprocess.run([*gate[:at], "cat"], input=every, capture_output=True).stdout == every
    there = subprocess.Popen([*gate[:at], "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with there:
        assert there.stdin is not None
        assert there.stdout is not None
        there.stdin.write(b"\x00no end of a line")
        there.stdin.flush()
        assert there.stdout.read(17) == b"\x00no end of a line"
    engine.end(SeenInstance("hpc-5", job, "running"))
    wait_state(engine, "hpc-5", "ended")


def test_a_controller_that_is_killed_is_silent_and_knows_the_job_again_when_it_is_back(engine, cluster):
    job = engine.start("hpc-6", ["sleep", "600"])
    wait_state(engine, "hpc-6", "running")
    eventually(lambda: job in saved(cluster), timeout=PATIENCE, what="the controller has saved the job")
    (before,) = [pid for pid in cluster.processes() if processes.alive(pid)]
    cluster.kill_controller()
    try:
        began = time.monotonic()
        with pytest.raises(EngineSilent, match="Try it by hand"):
            engine.seen()
        with pytest.raises(EngineSilent):
            engine.start("hpc-7", ["sleep", "600"])
        assert time.monotonic() - began < 70.0
        assert processes.alive(before)
    finally:
        cluster.start_controller()
    assert [one.engine_id for one in only(engine, "hpc-6") if one.state != "ended"] == [job]
    assert engine.start("hpc-6", ["sleep", "600"]) == job
    assert only(engine, "hpc-7") == []
    engine.end(SeenInstance("hpc-6", job, "running"))
    eventually(lambda: not cluster.jobs() and not cluster.processes(), timeout=PATIENCE, what="nothing is left")


def saved(cluster: Slurm) -> str:
    """The jobs in the controller's file of them; it writes that some seconds after each change."""
    path = cluster.folder / "state" / "job_state"
    names = path.read_bytes() if path.exists() else b""
    return " ".join(number for number, _, name in cluster.jobs() if name.encode() in names)
