"""Every console block of README and docs does what it says, from the first line of a page to the last."""

from __future__ import annotations

from tests.house.test_docs import pages, read
from tests.kit.transcript import steps
from tests.pages.scenes import ENGINE, SCENES

REFERENCE = "docs/commands.md"
"""Only what can be typed, which the command line itself takes: see tests/house/test_readme.py."""


def test_every_page_with_a_console_block_is_tried():
    assert {page for page in pages() if list(steps(read(page)))} == {*SCENES, *ENGINE, REFERENCE}
