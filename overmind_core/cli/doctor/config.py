"""The person's settings, judged by the one who reads them."""

from __future__ import annotations

import os

from overmind_core.cli.doctor.finding import Finding, World, fail, ok
from overmind_core.errors import OvermindError
from overmind_core.supervisor.settings import Settings, load


def config(world: World) -> Finding:
    """Whether config.toml can be read, and means something."""
    path = world.home.config
    try:
        load(path)
    except OvermindError as error:
        return fail(error.message, "mend that line; until then no daemon starts")
    return ok(f"{path} is valid" if os.path.exists(path) else "none: all defaults")


def settings(world: World) -> Settings:
    """Return the settings; the defaults when they can't be read."""
    try:
        return load(world.home.config)
    except (OvermindError, OSError):
        return Settings()
