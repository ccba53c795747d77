"""Opening a link in a person's browser, without the link in any program's arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.system.paths import write_private

if TYPE_CHECKING:
    from overmind_core.system.paths import Home

PAGE = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={url}">
<title>overmind</title>
<p><a href="{url}">Open the dashboard</a></p>
"""


def open_link(home: Home, url: str) -> bool:
    """Open `url` by a page in the home that only its owner can read; whether a browser was found. May block for it.

    Everybody on a machine can list the arguments of its programs, and the link in it logs in whoever is first.

    Raises:
        OSError: the page can't be written.
    """
    import html  # noqa: PLC0415 - for those who open a browser
    import webbrowser  # noqa: PLC0415 - as above

    write_private(home.web_opening, PAGE.format(url=html.escape(url)))
    return webbrowser.open(f"file://{home.web_opening}")
