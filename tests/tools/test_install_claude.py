"""The script that fetches the real program for the tests that need it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess

import pytest

from tests.kit.overmind import REPOSITORY

SCRIPT = os.path.join(REPOSITORY, "scripts", "install-claude")
VERSION = "2.1.332"
TOOLS = ("cut", "grep", "head", "ldd", "mkdir", "mktemp", "mv", "rm", "sh", "sha256sum", "tar", "uname", "chmod")


@pytest.fixture
def tools(tmp_path) -> str:
    """A PATH that has everything but npm."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return str(folder)


def install(tools: str, cache: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", SCRIPT],
        env={"PATH": tools, "HOME": os.path.join(tools, "absent"), "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
    )


def script(path: object, text: str) -> None:
    with open(str(path), "w") as file:
        file.write(f"#!/bin/sh\n{text}\n")
    os.chmod(str(path), 0o755)


def test_what_is_there_is_used_as_it_is(tools, tmp_path):
    program = tmp_path / "overmind" / "claude" / VERSION / "claude"
    program.parent.mkdir(parents=True)
    script(program, f'echo "{VERSION} (Claude Code)"')
    finished = install(tools, tmp_path)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, f"{program}\n", "")


def test_without_npm_it_says_what_to_do(tools, tmp_path):
    finished = install(tools, tmp_path)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "Error: npm is needed" in finished.stderr
    assert "Install Node.js" in finished.stderr


def test_npm_s_failure_leaves_nothing_half_done(tools, tmp_path):
    script(os.path.join(tools, "npm"), "echo no network >&2; exit 1")
    finished = install(tools, tmp_path)
    assert finished.returncode == 1
    assert "no network" in finished.stderr
    assert os.listdir(tmp_path / "overmind" / "claude" / VERSION) == []


@pytest.mark.skipif((platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="its sum is not known")
def test_another_package_than_the_one_we_know_is_refused(tools, tmp_path):
    archive = f"anthropic-ai-claude-code-linux-x64-{VERSION}.tgz"
    script(os.path.join(tools, "npm"), f"echo forged >{archive}")
    finished = install(tools, tmp_path)
    assert finished.returncode == 1
    assert "sha256" in finished.stderr
    assert os.listdir(tmp_path / "overmind" / "claude" / VERSION) == []
