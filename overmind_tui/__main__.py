"""`python -m overmind_tui`: the process that `overmind tui` becomes."""

from __future__ import annotations

import gc

gc.disable()  # until the first frame: nothing that is imported here is ever garbage

import argparse  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

from overmind_core.system.paths import Home  # noqa: E402
from overmind_tui.shell.first_request import ask_first  # noqa: E402
from overmind_tui.shell.remembered import LAST_VIEW, Remembered  # noqa: E402

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp
    from overmind_tui.shell.world import World

SWITCH_SECONDS = 0.001
"""How long one thread may keep another from running; Python's own 5 ms are felt at the keys."""
GARBAGE = (50_000, 20, 50)
"""Each answer about 1,000 missions is some thousand objects: Python's own 700 would collect in the middle of frames."""


def main() -> int:
    """Run the program; its exit status."""
    options = _options()
    sys.setswitchinterval(SWITCH_SECONDS)
    home = Home.resolve(os.environ)
    first = ask_first(home, options.view or Remembered(home).get(LAST_VIEW, ""))
    program, world = _loaded()
    app = program(
        home, world.here(), read_only=options.read_only, theme=options.theme, view=options.view or "", first=first
    )
    app.call_later(_collect_again)
    failure = app.run(mouse=app.settings.mouse)
    if failure:
        sys.stdout.write(failure + "\n")
    return app.return_code or 0


def _loaded() -> tuple[type[OvermindApp], type[World]]:
    """Everything else: it takes longer than the supervisor's answer."""
    from textual import constants  # noqa: PLC0415 - see above

    constants.DISABLE_KITTY_KEY = True  # type: ignore[misc]  # its key reports would reach agents, and can end the program
    constants.MAX_FPS = 250  # type: ignore[misc]  # a key just after a frame would wait for up to two periods; read at import
    from overmind_tui.app import OvermindApp  # noqa: PLC0415 - see above
    from overmind_tui.shell.world import World  # noqa: PLC0415 - see above

    return OvermindApp, World


def _collect_again() -> None:
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    gc.enable()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="overmind tui", description=__doc__, allow_abbrev=False)
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--theme")
    parser.add_argument("-c", "--view")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
