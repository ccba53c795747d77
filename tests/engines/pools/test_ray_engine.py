"""The engine of Ray against a real head: jobs by their submission ids, to their ends."""

from __future__ import annotations

import pytest

from overmind_core.domain.swarm.pools import pool_of
from overmind_core.pool_engines.engine import EngineSilent, SeenInstance, engine_of
from tests.kit import processes
from tests.kit.waiting import eventually

PATIENCE = 60.0


@pytest.fixture
def engine(ray_head, monkeypatch):
    monkeypatch.setenv("PATH", str(ray_head.bin), prepend=":")
    return engine_of(pool_of("ray", {"engine": "ray", "args": [f"--address={ray_head.address}"]}))


def state_of(engine, name):
    return next((one.state for one in engine.seen() if one.name == name), None)


def test_an_instance_is_started_once_found_by_its_name_and_ended(engine, tmp_path):
    assert engine.seen() == []
    pid = tmp_path / "pid"
    script = tmp_path / "script"
    script.write_text(f"echo $$ >{pid}.new\nmv {pid}.new {pid}\nexec sleep 600\n")
    assert engine.start("ray-1", ["sh", str(script)]) == "ray-1"
    assert engine.start("ray-1", ["sh", str(script)]) == "ray-1"  # as after an answer that was lost
    eventually(lambda: state_of(engine, "ray-1") == "running", timeout=PATIENCE, what="ray-1 runs")
    eventually(pid.exists, timeout=PATIENCE, what="its command runs")
    assert [one.name for one in engine.seen()] == ["ray-1"]
    engine.end(SeenInstance("ray-1", "ray-1", "running"))
    eventually(lambda: state_of(engine, "ray-1") == "ended", timeout=PATIENCE, what="ray-1 has ended")
    eventually(lambda: not processes.alive(int(pid.read_text())), timeout=PATIENCE, what="its command has ended")
    engine.end(SeenInstance("ray-1", "ray-1", "ended"))  # gone already is fine
    engine.end(SeenInstance("ray-9", "ray-9", "running"))


def test_a_head_that_does_not_answer_is_silent(engine):
    nobody = engine_of(pool_of("ray", {"engine": "ray", "args": ["--address=http://127.0.0.1:9"]}))
    with pytest.raises(EngineSilent, match=r"ray: .*Try it by hand"):
        nobody.seen()
