"""An engine that OVERMIND_TEST_MUST names: its tests fail where they would be skipped elsewhere."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kit.engines import leave_out
from tests.kit.overmind import REPOSITORY

ENGINES = ("postgres", "web", "docker", "claude", "pools")
REASON = r"\(OVERMIND_TEST_MUST names {engine}, so this may not be skipped\)"


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ("", pytest.skip.Exception),
        ("docker webs", pytest.skip.Exception),
        ("docker web", pytest.fail.Exception),
    ],
    ids=["none", "others", "it"],
)
def test_a_test_is_skipped_or_fails_with_the_reason(monkeypatch, named, error):
    monkeypatch.setenv("OVERMIND_TEST_MUST", named)
    with pytest.raises(error, match="htop is not installed"):
        leave_out("web", "htop is not installed")


def conftest_of(engine):
    """The module of the one folder of that name that has real tests."""
    (path,) = Path(REPOSITORY, "tests").glob(f"**/{engine}/conftest.py")
    spec = importlib.util.spec_from_file_location(f"conftest_of_{engine}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("engine", ENGINES)
def test_the_tests_of_an_engine_fail_where_it_must_be_and_is_not_asked_for(monkeypatch, request, engine):
    hook = conftest_of(engine).pytest_runtest_setup
    arguments = [request.node] if engine == "claude" else []
    request.node.add_marker("claude")
    for name in (f"OVERMIND_TEST_{engine.upper()}", f"OVERMIND_NO_{engine.upper()}", "OVERMIND_TEST_MUST"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"make test-{engine}"):
        hook(*arguments)
    monkeypatch.setenv("OVERMIND_TEST_MUST", " ".join(ENGINES))
    with pytest.raises(pytest.fail.Exception, match=REASON.format(engine=engine)):
        hook(*arguments)
    monkeypatch.setenv(f"OVERMIND_TEST_{engine.upper()}", "somewhere")
    hook(*arguments)


@pytest.fixture
def poor(tmp_path):
    """Run a script as somebody who is not root, with few programs and a Python that only notes how it was called."""
    programs = tmp_path / "programs"
    programs.mkdir()

    def put(name, command):
        (tmp_path / name).write_text(f"#!/bin/sh\n{command}\n")
        (tmp_path / name).chmod(0o700)

    for name in (
        "sh",
        "cat",
        "cp",
        "cut",
        "dirname",
        "grep",
        "ls",
        "mkdir",
        "mktemp",
        "chmod",
        "rm",
        "rmdir",
        "tail",
        "uname",
    ):
        (programs / name).symlink_to(shutil.which(name))
    put("programs/id", "echo 1000")
    put("programs/python", f'echo "$*" >> {tmp_path}/asked; [ "$2" = pytest ]')
    (tmp_path / "scripts").mkdir()
    for name in ("must", "docker-engine", "test-docker", "test-postgres", "test-web"):
        shutil.copy(os.path.join(REPOSITORY, "scripts", name), tmp_path / "scripts" / name)
    put("scripts/postgres-server", "[ $1 = stop ] || { echo No PostgreSQL: to install it needs root >&2; exit 3; }")

    def run(engine, must):
        environment = {"PATH": str(programs), "PYTHON": str(programs / "python"), "TMPDIR": str(tmp_path)}
        environment["OVERMIND_TEST_MUST"] = must
        script = tmp_path / "scripts" / f"test-{engine}"
        finished = subprocess.run([script], env=environment, capture_output=True, text=True, timeout=60)
        asked = tmp_path / "asked"
        tested = "-m pytest" in asked.read_text() if asked.exists() else False
        return finished.returncode, finished.stdout + finished.stderr, tested

    return run


@pytest.mark.linux
@pytest.mark.parametrize("engine", ["web", "docker", "postgres"])
def test_the_script_of_an_engine_that_must_be_fails_with_the_reason(poor, engine):
    code, said, tested = poor(engine, "claude")
    assert (code, tested) == (0, True)
    assert f"make test-{engine}: skipped. " in said
    code, said, tested = poor(engine, f"claude {engine}")
    assert code == 1
    last = said.splitlines()[-1]
    assert last.startswith(f"make test-{engine}: ")
    assert last.endswith(f"needs root. OVERMIND_TEST_MUST names {engine}, so its tests may not be skipped.")
