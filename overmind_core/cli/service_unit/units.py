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
    """How the daemon of one home, or its web server, becomes a service."""

    name: str
    """What the init system calls it."""
    path: str
    """Where the init system looks for the file."""
    text: str
    probe: Argv
    """Succeeds when the init system answers."""
    verify: Argv
    """Judges the file."""
    state: Argv
    """Prints the pid of its process, as a word of its own."""
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


WEB_UNIT_TEMPLATE = """\
# Written and replaced by `overmind service install --web`; removed by `overmind service remove`.
[Unit]
Description=Overmind, web server
After={daemon}
Wants={daemon}
# Keep restarting, for example after an hour without a free port.
StartLimitIntervalSec=0

[Service]
Type=exec
{environment}# Stop a web server started by hand; logins stay.
ExecStartPre=-{yield_}
ExecStart={start}
# It starts a daemon where none answers, and that one is not to end with it.
KillMode=process
Restart=on-failure
RestartSec=2
UMask=0077

[Install]
WantedBy=default.target
"""


def systemd_plan(home: Home, environ: Mapping[str, str]) -> ServicePlan:
    """Return how the daemon of `home` becomes a unit."""
    text = UNIT_TEMPLATE.format(
        environment=_environment_line(home, environ),
        yield_=_line(our_command("shutdown", "--keep")),
        start=_line(our_command("start", "--foreground")),
    )
    return _systemd(_unit_name(home, environ), text, environ, disable=("disable",))


def systemd_web_plan(home: Home, environ: Mapping[str, str]) -> ServicePlan:
    """Return how the web server of `home` becomes a unit beside the daemon's."""
    text = WEB_UNIT_TEMPLATE.format(
        daemon=_unit_name(home, environ),
        environment=_environment_line(home, environ),
        yield_=_line(our_command("web", "stop")),
        start=_line(our_command("web", "--no-link")),
    )
    name = f"overmind-web{suffix(home, environ)}.service"
    return _systemd(name, text, environ, disable=("disable", "--now"))  # nobody's work ends with it


def _unit_name(home: Home, environ: Mapping[str, str]) -> str:
    return f"overmind{suffix(home, environ)}.service"


def _environment_line(home: Home, environ: Mapping[str, str]) -> str:
    return "" if is_default(home, environ) else f"Environment={unit_quoted(f'OVERMIND_HOME={home.root}')}\n"


def _systemd(name: str, text: str, environ: Mapping[str, str], *, disable: Argv) -> ServicePlan:
    path = os.path.join(_folder(environ), name)
    return ServicePlan(
        name=name,
        path=path,
        text=text,
        probe=_systemctl("show", "--property=Version"),
        verify=("systemd-analyze", "--user", "verify", path),
        state=_systemctl("show", "--property=MainPID", "--value", name),
        install=(_systemctl("daemon-reload"), _systemctl("enable", name), _systemctl("restart", name)),
        remove=(_systemctl(*disable, name),),
        forget=(_systemctl("daemon-reload"),),
        advice="To start it at boot, and keep it after your last logout: loginctl enable-linger",
    )


def _folder(environ: Mapping[str, str]) -> str:
    chosen = environ.get("XDG_CONFIG_HOME", "")
    above = chosen if os.path.isabs(chosen) else os.path.join(user_folder(environ), ".config")
    return os.path.join(above, "systemd", "user")


def _systemctl(*words: str) -> tuple[str, ...]:
    return ("systemctl", "--user", *words)


def _line(argv: Sequence[str]) -> str:
    """Return a command line; in all words but the program a dollar sign begins a variable."""
    program, *words = argv
    return " ".join([unit_quoted(program), *(unit_quoted(word).replace("$", "$$") for word in words)])


def unit_quoted(word: str) -> str:
    """Return a word as a unit file has it: specifiers and quotes mean themselves."""
    word = word.replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    plain = word.replace("/", "").replace("-", "").replace(".", "").replace("_", "").replace("=", "").isalnum()
    return word if plain else f'"{word}"'


AS_SERVICE = {"OVERMIND_SERVICE": "1"}
"""By it a daemon of launchd, which says nothing of itself, knows that no person waits for it."""


def launchd_plan(home: Home, environ: Mapping[str, str]) -> ServicePlan:
    """Return how the daemon of `home` becomes a launch agent."""
    label = f"overmind.daemon{suffix(home, environ)}"
    variables = {**AS_SERVICE, **_home_variable(home, environ)}
    agent = _agent(label, our_command("start", "--foreground"), home.daemon_log, variables)
    return _launchd(label, agent, our_command("shutdown", "--keep"), environ)


def launchd_web_plan(home: Home, environ: Mapping[str, str]) -> ServicePlan:
    """Return how the web server of `home` becomes a launch agent beside the daemon's."""
    label = f"overmind.web{suffix(home, environ)}"
    agent = _agent(label, our_command("web", "--no-link"), home.web_log, _home_variable(home, environ))
    return _launchd(label, agent, our_command("web", "stop"), environ)


def _launchd(label: str, agent: Mapping[str, object], give_way: Argv, environ: Mapping[str, str]) -> ServicePlan:
    path = os.path.join(user_folder(environ), "Library", "LaunchAgents", f"{label}.plist")
    domain = f"gui/{os.getuid()}"
    return ServicePlan(
        name=label,
        path=path,
        text=plistlib.dumps(agent).decode(),
        probe=("launchctl", "print", domain),
        verify=("plutil", "-lint", path),
        state=("launchctl", "print", f"{domain}/{label}"),
        install=(
            ("launchctl", "bootout", f"{domain}/{label}"),
            give_way,
            ("launchctl", "bootstrap", domain, path),
        ),
        remove=(("launchctl", "bootout", f"{domain}/{label}"),),
        forget=(),
        advice="",
    )


def _home_variable(home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    return {} if is_default(home, environ) else {"OVERMIND_HOME": home.root}


def _agent(label: str, argv: Argv, log: str, variables: Mapping[str, str]) -> dict[str, object]:
    agent: dict[str, object] = {
        "Label": label,
        "ProgramArguments": list(argv),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "AbandonProcessGroup": True,  # its end is not the end of what it supervises, or of a daemon that it started
        "ProcessType": "Interactive",  # else what people work with is throttled
        "Umask": 0o077,
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    if variables:
        agent["EnvironmentVariables"] = variables
    return agent
