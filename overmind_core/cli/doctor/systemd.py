"""Whether what runs for a person outlives their last session."""

from __future__ import annotations

import os

from overmind_core.cli.doctor.finding import Finding, World, ok, warn

RUNNING = "/run/systemd/system"
"""There when systemd is the init system. Source: sd_booted(3)."""


def linger(world: World, running: str = RUNNING) -> Finding | None:
    """Whether systemd keeps this person's processes after their last logout."""
    if not os.path.isdir(running):
        return None
    answer = world.ask("loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value")
    if answer.code is None:
        return warn(f"loginctl does not tell: {answer.line}", "loginctl enable-linger")
    if answer.code == 0 and answer.line == "yes":
        return ok("missions outlive your last logout")
    return warn("off: missions may end with your last logout", "loginctl enable-linger")
