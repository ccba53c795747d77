"""Checks of the machine: limits of the kernel, the init system, tmux, programs, ports and container engines."""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import socket
import sys
from collections.abc import Callable

from overmind_core.cli.doctor.finding import OK, CheckContext, Finding, fail, ok, warn
from overmind_core.cli.doctor.home import settings
from overmind_core.cli.external import ProgramResult
from overmind_core.domain.isolation.project import FIRST_PORT, LAST_PORT
from overmind_core.providers import registry
from overmind_core.providers.base import chosen_program
from overmind_core.system import paths, run_mark
from overmind_core.system.small_file import read_small_file

FILES_OF_A_MISSION = 6
"""Of one on pipes; one with a terminal takes fewer."""
FILES_OF_A_KEEPER = 64
FEW_MISSIONS = 250
NEARLY = 0.9
_PTY = "/proc/sys/kernel/pty"


def open_files(_context: CheckContext) -> Finding:
    """How many missions the limit on open files allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return judge_open_files(soft, hard)


def judge_open_files(soft: int, hard: int) -> Finding:
    """Judge RLIMIT_NOFILE: the keeper lifts its own to the hard one."""
    if hard == resource.RLIM_INFINITY:
        return ok(f"{soft}, no hard limit")
    missions = max(0, (hard - FILES_OF_A_KEEPER) // FILES_OF_A_MISSION)
    found = f"{soft}, hard limit {hard}: room for {missions} missions at once"
    if missions < FEW_MISSIONS:
        return warn(found, "raise it: 'hard nofile 524288' in /etc/security/limits.conf")
    return ok(found)


def terminals(context: CheckContext) -> Finding:
    """Whether there are terminals left."""
    try:
        for fd in os.openpty():
            os.close(fd)
    except OSError as error:
        return fail(f"none can be opened: {error.strerror}", "end some missions, or: sudo sysctl kernel.pty.max=65536")
    if context.platform != "linux":
        return ok("can be opened")
    most, used = (_number(f"{_PTY}/{name}") for name in ("max", "nr"))
    return ok("can be opened") if most is None or used is None else judge_terminals(used, most)


def judge_terminals(used: int, most: int) -> Finding:
    """Judge how many of the machine's terminals are in use."""
    found = f"{used} of {most} in use"
    return warn(found, "sudo sysctl kernel.pty.max=65536") if used >= most * NEARLY else ok(found)


def _number(path: str) -> int | None:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


RUNNING = "/run/systemd/system"
"""There when systemd is the init system. Source: sd_booted(3)."""


def linger(context: CheckContext, running: str = RUNNING) -> Finding | None:
    """Whether systemd keeps this person's processes after their last logout."""
    if not os.path.isdir(running):
        return None
    answer = context.run_program("loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value")
    if answer.exit_code is None:
        return warn(f"loginctl gave no answer: {answer.first_line}", "loginctl enable-linger")
    if answer.exit_code == 0 and answer.first_line == "yes":
        return ok("missions survive your last logout")
    return warn("off: missions can end with your last logout", "loginctl enable-linger")


SLOW_ESCAPE = 50
"""Milliseconds from which on a person feels that the escape key waits."""


def tmux(context: CheckContext) -> Finding:
    """Whether there is a tmux around us, and which."""
    if not context.environ.get("TMUX"):
        return ok("not inside tmux")
    return ok(context.run_program("tmux", "-V").first_line)


def tmux_setting(context: CheckContext, name: str) -> Finding | None:
    """Judge one setting; nothing to say outside tmux."""
    if not context.environ.get("TMUX"):
        return None
    answer = context.run_program("tmux", "show", "-gv", name)
    if answer.exit_code is None:
        return warn(f"tmux gave no answer: {answer.first_line}", "check that tmux answers: tmux info")
    return TMUX_SETTINGS[name](answer)


def _escape_time(answer: ProgramResult) -> Finding:
    value = answer.first_line
    if value.isdigit() and int(value) <= SLOW_ESCAPE:
        return ok(f"{value} ms")
    return warn(f"{value} ms: the escape key is delayed by this much", "in ~/.tmux.conf: set -s escape-time 10")


def _set_clipboard(answer: ProgramResult) -> Finding:
    if answer.first_line in {"on", "external"}:
        return ok(answer.first_line)
    return warn(f"{answer.first_line}: copied text stays inside tmux", "in ~/.tmux.conf: set -s set-clipboard external")


def _allow_passthrough(answer: ProgramResult) -> Finding:
    if answer.exit_code != 0:
        return ok("always on (before tmux 3.3)")
    if answer.first_line in {"on", "all"}:
        return ok(answer.first_line)
    return warn(
        f"{answer.first_line}: notifications do not reach your terminal", "in ~/.tmux.conf: set -g allow-passthrough on"
    )


def _default_terminal(answer: ProgramResult) -> Finding:
    if answer.first_line.endswith(("256color", "direct")):
        return ok(answer.first_line)
    return warn(f"{answer.first_line}: few colours", "in ~/.tmux.conf: set -s default-terminal tmux-256color")


TMUX_SETTINGS: dict[str, Callable[[ProgramResult], Finding]] = {
    "escape-time": _escape_time,
    "set-clipboard": _set_clipboard,
    "allow-passthrough": _allow_passthrough,
    "default-terminal": _default_terminal,
}
"""Name of the setting → who judges what `tmux show -gv` said."""


PR_GET_CHILD_SUBREAPER = 37
"""Source: prctl(2)."""
LOST = "a program that leaves its session and parent and clears its environment is not found"


def subreaper(context: CheckContext) -> Finding:
    """Whether the keeper can adopt orphans."""
    if context.platform != "linux":
        return warn(f"only Linux has them: {LOST}", "nothing to do; see docs/ending.md")
    answer = ctypes.c_int(0)
    if ctypes.CDLL(None).prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0) != 0:
        return warn(f"the kernel refuses: {LOST}", "use a newer kernel, or a sandbox that allows prctl(2)")
    return ok("the keeper adopts orphans")


def run_marks(context: CheckContext) -> Finding:
    """Whether runs can be marked by a resource limit."""
    if context.platform != "linux":
        return warn(f"only Linux has them: {LOST}", "nothing to do; see docs/ending.md")
    return judge_run_marks(run_mark.unmarked_limit(), *_leases())


def _leases() -> tuple[str, str]:
    """Why the usual place for the leases of marks can't be used, and the one that is used; "" for nothing."""
    trouble = paths.runtime_trouble(os.geteuid())
    try:
        return trouble, paths.runtime_folder(os.geteuid())
    except paths.HomeUnsafe:
        return trouble, ""


def judge_run_marks(ceiling: int, trouble: str = "", place: str = "/") -> Finding:
    """Judge the hard RLIMIT_MSGQUEUE, in bytes: marks are numbers below it; and the place where they are leased."""
    count = ceiling // 2 // run_mark.BLOCK_SIZE * run_mark.BLOCK_SIZE
    if count <= 0:
        return warn(f"the hard limit of POSIX queues is {ceiling} bytes: {LOST}", "raise it: ulimit -Hq 819200")
    if trouble:
        message = f"{trouble}: runs get {'no mark' if not place else f'marks leased in {place}'}"
        fix = "remove it as its owner or as root, then: overmind shutdown"
        return warn(message if place else f"{message}: {LOST}", fix)
    return ok(f"room for {count} runs at once")


def children(context: CheckContext) -> Finding | None:
    """Whether the kernel lists the children of a process."""
    if context.platform != "linux":
        return None
    if not os.path.exists("/proc/thread-self/children"):
        return warn(
            "the kernel does not list children: stopping takes longer", "use a kernel with CONFIG_PROC_CHILDREN"
        )
    return ok("the kernel lists them")


OLDEST_PYTHON = (3, 11)
AGENTS = registry.names()[1:]
"""Each is its program, too; the first two are named also where they are missing."""
_NAMED = 2


def python(_context: CheckContext, version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether this Python is new enough."""
    found = f"{'.'.join(map(str, version))} ({sys.executable})"
    if version < OLDEST_PYTHON:
        return fail(found, f"install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer")
    return ok(found)


COMMAND = "overmind"
_SHIMS = "shims"
"""Folder whose programs start the version that was chosen for where one is: of pyenv, asdf, mise."""


def command(context: CheckContext, script: str = sys.argv[0], python: str = sys.executable) -> Finding | None:
    """Whether `overmind` starts this copy; None: it is not on PATH, or this copy has no script to compare it with.

    Args:
        context: Where to look.
        script: Which file this was started by.
        python: This copy's; its script lies beside it, unless it was put elsewhere and started from there.
    """
    first = context.which(COMMAND)
    is_script = os.path.basename(os.path.realpath(script)) == COMMAND and os.path.isfile(script)
    ours = script if is_script else os.path.join(os.path.dirname(python), COMMAND)
    if first is None or not os.path.exists(ours):
        return None
    if os.path.realpath(first) == os.path.realpath(ours) or os.path.basename(os.path.dirname(first)) == _SHIMS:
        return ok(first)
    ours = os.path.abspath(ours)
    return warn(
        f"another one is first on PATH: {first}; this copy is {ours}",
        f"put {os.path.dirname(ours)} before {os.path.dirname(first)} in PATH, or remove the other one",
    )


def git(context: CheckContext) -> Finding:
    """Whether git runs."""
    return _version_of(context, "git", mend="install git: agents work in its worktrees")


def docker_client(context: CheckContext) -> Finding:
    """Whether the docker command runs."""
    return _version_of(
        context, "docker", mend="needed only for missions in containers: https://docs.docker.com/engine/install"
    )


def docker_engine(context: CheckContext) -> Finding | None:
    """Whether the engine behind the docker command answers."""
    program = context.which("docker")
    if program is None:
        return None
    answer = context.run_program(program, "version", "--format", "{{.Server.Version}}")
    if answer.exit_code != 0 or not answer.output:
        return warn(
            f"does not answer: {answer.output.splitlines()[-1] if answer.output else 'no output'}",
            "start Docker, and check that you can use its socket",
        )
    return ok(answer.first_line)


def agent(context: CheckContext, name: str) -> Finding | None:
    """Look whether an agent's command line runs; None: one that few have is not there."""
    provider = registry.get(name)
    chosen = chosen_program(provider, context.environ, dict(settings(context).programs))
    path = context.which(chosen)
    if name not in AGENTS[:_NAMED] and path is None and chosen == provider.program:
        return None
    mend = f"to use it: {provider.install}" if chosen == provider.program else f"check that it runs: {chosen}"
    found = _version_of(context, chosen, mend=mend)
    if found.status != OK or path is None:
        return found
    versions = _VERSION.findall(found.found.removesuffix(f" ({path})"))  # the path may have that of another program
    is_tried = not provider.tested or provider.tested in versions
    said = found.found if is_tried else f"{found.found}, tried with {provider.tested}"
    if (needed := needed_node(path)) and (node := _node_major(context)) and node < needed:
        why = f"{said}: its package asks for Node.js {needed} or newer, and node on PATH is {node}"
        return warn(why, f"install Node.js {needed} or newer")
    if not provider.login_status or not any(_is_since(one, provider.tested) for one in versions[:1]):
        return ok(f"{said}, its login is not checked")
    answer = context.run_program(path, *provider.login_status)
    if answer.exit_code == 1:
        how = f"{said}: no login, says {os.path.basename(chosen)} {' '.join(provider.login_status)}"
        return warn(how, f"{provider.log_in}, unless a key or a service of your own stands for it")
    return ok(f"{said}, {'logged in' if answer.exit_code == 0 else 'its login is not checked'}")


_VERSION = re.compile(r"(?<!\d)\d{1,9}(?:\.\d{1,9})+(?!\d)", re.ASCII)


def _is_since(version: str, tried: str) -> bool:
    """Whether a version is no older than the one that was tried: an older one may take the words for a prompt."""
    return [int(one) for one in version.split(".")] >= [int(one) for one in tried.split(".")]


_LONGEST_FIRST_LINE = 200
"""Bytes; that of a script names what runs it."""
_FOLDERS_UP = 4
"""Between a program in a package of npm and that package's file."""


def needed_node(program: str) -> int:
    """Return the Node.js that the package of an npm program asks for, by its first number; 0: none, or nobody knows."""
    try:
        path = os.path.realpath(program)
        with open(path, "rb") as file:
            if b"node" not in file.readline(_LONGEST_FIRST_LINE):
                return 0
        for _ in range(_FOLDERS_UP):
            path = os.path.dirname(path)
            if data := read_small_file(os.path.join(path, "package.json")):
                return _engine(json.loads(data))
    except (OSError, ValueError, RecursionError):
        pass
    return 0


def _engine(package: object) -> int:
    engines = package.get("engines") if isinstance(package, dict) else None
    wanted = engines.get("node") if isinstance(engines, dict) else None
    found = re.fullmatch(r"\s*>=\s*v?(\d{1,3})(\.\d+)*\s*", wanted, re.ASCII) if isinstance(wanted, str) else None
    return int(found[1]) if found else 0


def _node_major(context: CheckContext) -> int:
    """Return the first number of the version of node on PATH; 0: nobody knows."""
    path = context.which("node")
    found = re.match(r"v(\d{1,3})\.", context.run_program(path, "--version").first_line, re.ASCII) if path else None
    return int(found[1]) if found else 0


def _version_of(context: CheckContext, name: str, *, mend: str) -> Finding:
    program = context.which(name)
    if program is None:
        return warn("not found on PATH", mend)
    answer = context.run_program(program, "--version")
    if answer.exit_code != 0:
        return warn(f"{program} does not run: {answer.first_line or f'exit {answer.exit_code}'}", mend)
    return ok(f"{answer.first_line.rstrip('.,:; ')} ({program})")


FEW_PORTS = 50
"""Of the range; each mission takes one, and one for each of its services."""
_HOST = "127.0.0.1"
_OTHER_RANGE = "set another range in .overmind.yml: isolation: { port_range: 13100-13999 }"


def engine(context: CheckContext) -> Finding:
    """Whether the engine that containers of missions would be made by answers; it needs no docker command."""
    from overmind_core.containers.engine import Engine, EngineMissing

    try:
        found = Engine.connect(context.environ)
    except EngineMissing as error:
        what, _, mend = error.why.partition(". ")
        return warn(what, f"needed only for projects with containers. {mend or 'Start Docker or Podman.'}")
    found.close()
    return ok(found.url)


def ports(_context: CheckContext) -> Finding:
    """How many ports of the range that is taken where a project names none are free."""
    return judge_ports(sum(map(_is_free, range(FIRST_PORT, LAST_PORT + 1))))


def judge_ports(free: int) -> Finding:
    """Judge the number of free ports of that range."""
    found = f"{free} of {FIRST_PORT}-{LAST_PORT} are free"
    if not free:
        return fail(found, _OTHER_RANGE)
    return warn(found, _OTHER_RANGE) if free < FEW_PORTS else ok(found)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True
