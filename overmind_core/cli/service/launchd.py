"""The daemon as a launch agent of macOS.

Unloading the agent ends the daemon alone: the missions live on with their keeper, and the next daemon adopts them.
Source: launchd.plist(5), launchctl(1).
"""

from __future__ import annotations

import os
import plistlib
from collections.abc import Mapping

from overmind_core.cli.service.plan import Plan, command, is_default, suffix, user_folder
from overmind_core.system.paths import Home


def plan(home: Home, environ: Mapping[str, str]) -> Plan:
    """Return how the daemon of `home` becomes a launch agent."""
    label = f"overmind.daemon{suffix(home, environ)}"
    path = os.path.join(user_folder(environ), "Library", "LaunchAgents", f"{label}.plist")
    domain = f"gui/{os.getuid()}"
    return Plan(
        name=label,
        path=path,
        text=_text(home, label, environ),
        probe=("launchctl", "print", domain),
        verify=("plutil", "-lint", path),
        install=(
            ("launchctl", "bootout", f"{domain}/{label}"),
            command("shutdown", "--keep"),
            ("launchctl", "bootstrap", domain, path),
        ),
        remove=(("launchctl", "bootout", f"{domain}/{label}"),),
        forget=(),
        advice="",
    )


def _text(home: Home, label: str, environ: Mapping[str, str]) -> str:
    agent: dict[str, object] = {
        "Label": label,
        "ProgramArguments": list(command("start", "--foreground")),
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
