"""A service as data: a file, its text, and the commands for the init system. For systemd's user manager, and for macOS.

Stopping the unit, or unloading the launch agent, ends the daemon alone: the missions live on with their keeper, as
containers do without containerd, and the next daemon adopts them. `overmind shutdown` ends them.

Sources: systemd.service(5), systemd.syntax(7), launchd.plist(5), launchctl(1).
"""

from __future__ import annotations

import os
import plistlib
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from overmind_core.system.paths import Home

Argv = tuple[str, ...]


class ServicePlan(NamedTuple):
    """How the daemon of one home becomes a service."""

    name: str
    """What the init system calls it."""
    path: str
    """Where the init system looks for the file."""
    text: str
    probe: Argv
    """Succeeds when the init system answers."""
    verify: Argv
    """Judges the file."""
    install: tuple[Argv, ...]
    """Run once the file is written; the first may fail when there is nothing to replace."""
    remove: tuple[Argv, ...]
    """Run before the file is removed."""
    forget: tuple[Argv, ...]
    """Run after that."""
    advice: str
    """What a person may want to do besides; "" for nothing."""


def our_command(*words: str) -> Argv:
    """Return a command line of ours: absolute, whatever PATH the init system has.

    -P: no folder in which somebody stands becomes part of the program.
    """
    return (os.path.abspath(sys.executable), "-P", "-m", "overmind_core.cli", *words)


def suffix(home: Home, environ: Mapping[str, str]) -> str:
    """Return what tells this home's service from the default home's: nothing for that one."""
    if is_default(home, environ):
        return ""
    return "-" + sha256(os.fsencode(home.root)).hexdigest()[:8]


def is_default(home: Home, environ: Mapping[str, str]) -> bool:
    """Whether the home needs no OVERMIND_HOME."""
    return home.root == Home.resolve({name: environ[name] for name in ("HOME",) if name in environ}).root


def user_folder(environ: Mapping[str, str]) -> str:
    """Return the person's own folder."""
    return environ.get("HOME") or os.path.expanduser("~")


UNIT_TEMPLATE = """\
# Written and replaced by `overmind service install`; removed by `overmind service remove`.
[Unit]
Description=Overmind, supervisor of missions
# Keep restarting, for example after an hour with a full disk.
StartLimitIntervalSec=0

[Service]
# The unit is started when the daemon answers.
Type=notify
{environment}# Stop a daemon started by hand; this one adopts its missions.
ExecStartPre=-{yield_}
ExecStart={start}
# TERM stops only the daemon; `overmind shutdown` ends the missions too.
KillMode=process
# Also restart a daemon that was killed together with its keeper.
Restart=on-failure
RestartSec=2
# Keep running when the kernel kills one agent for its memory.
OOMPolicy=continue
UMask=0077

[Install]
WantedBy=default.target
"""


def systemd_plan(home: Home, environ: Mapping[str, str]) -> ServicePlan:
    """Return how the daemon of `home` becomes a unit."""
    name = f"overmind{suffix(home, environ)}.service"
    path = os.path.join(_folder(environ), name)
    return ServicePlan(
        name=name,
        path=path,
        text=_unit_text(home, environ),
        probe=_systemctl("show", "--property=Version"),
        verify=("systemd-analyze", "--user", "verify", path),
        install=(_systemctl("daemon-reload"), _systemctl("enable", name), _systemctl("restart", name)),
        remove=(_systemctl("disable", name),),
        forget=(_systemctl("daemon-reload"),),
        advice="To start it at boot, and keep it after your last logout: loginctl enable-linger",
    )


def _folder(environ: Mapping[str, str]) -> str:
    chosen = environ.get("XDG_CONFIG_HOME", "")
    above = chosen if os.path.isabs(chosen) else os.path.join(user_folder(environ), ".config")
    return os.path.join(above, "systemd", "user")


def _systemctl(*words: str) -> tuple[str, ...]:
    return ("systemctl", "--user", *words)


def _unit_text(home: Home, environ: Mapping[str, str]) -> str:
    setting = "" if is_default(home, environ) else f"Environment={unit_quoted(f'OVERMIND_HOME={home.root}')}\n"
    return UNIT_TEMPLATE.format(
        environment=setting,
        yield_=_line(our_command("shutdown", "--keep")),
        start=_line(our_command("start", "--foreground")),
    )


def _line(argv: Sequence[str]) -> str:
    """Return a command line; in all words but the program a dollar sign begins a variable."""
    program, *words = argv
    return " ".join([unit_quoted(program), *(unit_quoted(word).replace("$", "$$") for word in words)])


def unit_quoted(word: str) -> str:
    """Return a word as a unit file has it: specifiers and quotes mean themselves."""
    word = word.replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    plain = word.replace("/", "").replace("-", "").replace(".", "").replace("_", "").replace("=", "").isalnum()
    return word if plain else f'"{word}"'


def launchd_plan(home: Home, environ: Mapping[str, str]) -> ServicePlan:
    """Return how the daemon of `home` becomes a launch agent."""
    label = f"overmind.daemon{suffix(home, environ)}"
    path = os.path.join(user_folder(environ), "Library", "LaunchAgents", f"{label}.plist")
    domain = f"gui/{os.getuid()}"
    return ServicePlan(
        name=label,
        path=path,
        text=_agent_text(home, label, environ),
        probe=("launchctl", "print", domain),
        verify=("plutil", "-lint", path),
        install=(
            ("launchctl", "bootout", f"{domain}/{label}"),
            our_command("shutdown", "--keep"),
            ("launchctl", "bootstrap", domain, path),
        ),
        remove=(("launchctl", "bootout", f"{domain}/{label}"),),
        forget=(),
        advice="",
    )


def _agent_text(home: Home, label: str, environ: Mapping[str, str]) -> str:
    agent: dict[str, object] = {
        "Label": label,
        "ProgramArguments": list(our_command("start", "--foreground")),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "AbandonProcessGroup": True,  # the end of the daemon is not the end of what it supervises
        "ProcessType": "Interactive",  # else what people work with is throttled
        "Umask": 0o077,
        "StandardOutPath": home.daemon_log,
        "StandardErrorPath": home.daemon_log,
    }
    if not is_default(home, environ):
        agent["EnvironmentVariables"] = {"OVERMIND_HOME": home.root}
    return plistlib.dumps(agent).decode()
