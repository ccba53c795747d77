"""A whole log in the person's pager, as the command line prints it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from overmind_core.domain.moment import format_time
from overmind_tui.logs.page import Look
from overmind_tui.machine import outside

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

_SCRIPT = '"$@" | eval "${PAGER:-less}"'


def show(app: OvermindApp, look: Look) -> None:
    """Give the terminal to the pager until it is closed."""
    words = ["logs", *look.missions]
    if look.run is not None:
        words += ["--run", str(look.run)]
    if look.since is not None:
        words += ["--since", format_time(look.since)]
    environ = {"LESS": "-R", **app.world.environ, "OVERMIND_HOME": app.home.root}
    argv = ["sh", "-c", _SCRIPT, "sh", sys.executable, "-P", "-m", "overmind_core.cli", *words]
    outside.run(app, argv, cwd="/", environ=environ, then=lambda code: _told(app, code))


def _told(app: OvermindApp, code: int) -> None:
    if code:
        app.flash(f"the pager ended with exit code {code}", "slow")
