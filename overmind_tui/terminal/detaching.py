r"""Which keys leave a terminal here: ctrl-\, those of `[attach]`, and those of `[tui]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.client import detachsettings
from overmind_core.client.detachkey import LEAVE, Key, parse
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


def detach_keys(app: OvermindApp) -> list[Key]:
    """Those that the configuration names by now; a mistake in `[attach]` is for `overmind attach` to tell."""
    try:
        attach = detachsettings.detach_keys(app.home.config)
    except OvermindError:
        attach = []
    return list(dict.fromkeys([LEAVE, *map(parse, app.settings.detach_keys), *attach]))
