"""Every console block of README and docs does what it says, from the first line of a page to the last."""

from __future__ import annotations

import pytest

from tests.pages.scenes import SCENES
from tests.process.pages.stage import try_page


@pytest.mark.long
@pytest.mark.parametrize("page", SCENES)
def test_its_console_blocks_say_what_comes(om, tmp_path, page):
    try_page(om, str(tmp_path), page, SCENES[page])
