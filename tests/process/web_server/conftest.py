"""A web server without a browser: that of the home, which all tests of a worker share who leave it as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.overmind import Overmind
from tests.kit.shared_home import SharedHome
from tests.kit.web_site import Site
from tests.kit.web_tab import Tab


@pytest.fixture
def site(om: Overmind, shared_home: SharedHome) -> Iterator[Site]:
    """The web server of the home; of the test's own one unless it is marked `shared_home`."""
    if shared_home.lends(om):
        yield shared_home.site()
        return
    with Site(om) as own:
        yield own


@pytest.fixture
def tab(site: Site) -> Iterator[Tab]:
    """A tab of it, logged in."""
    with site.tab() as opened:
        yield opened
