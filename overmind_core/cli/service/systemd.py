"""The daemon as a unit of systemd's user manager.

Stopping the unit ends the daemon alone: the missions live on with their keeper, as containers do without containerd,
and the next daemon adopts them. `overmind shutdown` ends them. Sources: systemd.service(5), systemd.syntax(7).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from overmind_core.cli.service.plan import Plan, command, is_default, suffix, user_folder
from overmind_core.system.paths import Home

TEXT = """\
# Written by `overmind service install`, which also replaces it; `overmind service remove` removes it.
[Unit]
Description=Overmind, supervisor of missions
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
{environment}# A daemon that somebody started by hand makes room; its missions are handed over.
ExecStartPre=-{yield_}
ExecStart={start}
# TERM lets the daemon go and the missions live on: `overmind shutdown` is what ends those.
KillMode=process
Restart=on-failure
# One agent that the kernel kills for its memory is no reason to stop all.
OOMPolicy=continue
UMask=0077

[Install]
WantedBy=default.target
"""


def plan(home: Home, environ: Mapping[str, str]) -> Plan:
    """Return how the daemon of `home` becomes a unit."""
    name = f"overmind{suffix(home, environ)}.service"
    path = os.path.join(_folder(environ), name)
    return Plan(
        name=name,
        path=path,
        text=_text(home, environ),
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


def _text(home: Home, environ: Mapping[str, str]) -> str:
    setting = "" if is_default(home, environ) else f"Environment={quoted(f'OVERMIND_HOME={home.root}')}\n"
    return TEXT.format(
        environment=setting,
        yield_=_line(command("shutdown", "--keep")),
        start=_line(command("start", "--foreground")),
    )


def _line(argv: Sequence[str]) -> str:
    """Return a command line; in all words but the program a dollar sign begins a variable."""
    program, *words = argv
    return " ".join([quoted(program), *(quoted(word).replace("$", "$$") for word in words)])


def quoted(word: str) -> str:
    """Return a word as a unit file has it: specifiers and quotes mean themselves."""
    word = word.replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    plain = word.replace("/", "").replace("-", "").replace(".", "").replace("_", "").replace("=", "").isalnum()
    return word if plain else f'"{word}"'
