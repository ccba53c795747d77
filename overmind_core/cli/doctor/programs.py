"""Programs that Overmind, or the work it runs, uses: Python, git, Docker, the agents."""

from __future__ import annotations

import sys

from overmind_core.cli.doctor.finding import Finding, World, fail, ok, warn

OLDEST_PYTHON = (3, 11)
AGENTS = {
    "claude": "npm install -g @anthropic-ai/claude-code",
    "codex": "npm install -g @openai/codex",
    "opencode": "npm install -g opencode-ai",
    "gemini": "npm install -g @google/gemini-cli",
}
"""Agent's program → how to install it."""
_BINARIES = {"claude": "OVERMIND_CLAUDE_BIN"}
"""Agent → the variable that names another program for it."""


def python(_world: World, version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether this Python is new enough."""
    found = f"{'.'.join(map(str, version))} ({sys.executable})"
    if version < OLDEST_PYTHON:
        return fail(found, f"install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer")
    return ok(found)


def git(world: World) -> Finding:
    """Whether git runs."""
    return _version_of(world, "git", mend="install git: agents work in its worktrees")


def docker_client(world: World) -> Finding:
    """Whether the docker command runs."""
    return _version_of(
        world, "docker", mend="only missions in containers need it: https://docs.docker.com/engine/install"
    )


def docker_engine(world: World) -> Finding | None:
    """Whether the engine behind the docker command answers."""
    program = world.which("docker")
    if program is None:
        return None
    answer = world.ask(program, "version", "--format", "{{.Server.Version}}")
    if answer.code != 0 or not answer.text:
        return warn(
            f"does not answer: {answer.text.splitlines()[-1] if answer.text else 'no word'}",
            "start Docker, and see that you may use its socket",
        )
    return ok(answer.line)


def agent(world: World, name: str) -> Finding:
    """Whether an agent's command line runs."""
    chosen = world.environ.get(_BINARIES.get(name, ""), name)
    return _version_of(world, chosen, mend=f"if you want to use it: {AGENTS[name]}")


def _version_of(world: World, name: str, *, mend: str) -> Finding:
    program = world.which(name)
    if program is None:
        return warn("not found on PATH", mend)
    answer = world.ask(program, "--version")
    if answer.code != 0:
        return warn(f"{program} does not run: {answer.line or f'exit {answer.code}'}", mend)
    return ok(f"{answer.line} ({program})")
