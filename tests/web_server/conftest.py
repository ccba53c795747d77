"""A web server without a browser: one for all tests of a worker that only ask, and one of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.kit import home as homes
from tests.kit.overmind import Overmind
from tests.kit.web_client import Session, WebClient
from tests.kit.web_site import Site


class Served(NamedTuple):
    """A web server, somebody who is logged in, and the client of both."""

    site: Site
    client: WebClient
    session: Session
    om: Overmind

    @property
    def read_only(self) -> Session:
        """Another login, which may only look."""
        return self.client.log_in(self.om.ok("web", "link", "--read-only").strip())


def served_by(om: Overmind, *options: str) -> Served:
    """Start a web server in a home."""
    site = Site(om, *options)
    client = WebClient(site.url)
    return Served(site, client, client.log_in(site.link()), om)


@pytest.fixture(scope="session")
def served(marker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that leave it as it is."""
    om = homes.make(user_home=str(tmp_path_factory.mktemp("served")), marker=marker)
    found = served_by(om)
    yield found
    found.site.close()
    left = homes.end(om)
    assert not left, "left after the tests:\n" + "\n".join(left)


@pytest.fixture
def serve(om: Overmind) -> Iterator[Callable[..., Served]]:
    """Start the web server of this test's own home."""
    begun: list[Served] = []

    def start(*options: str) -> Served:
        begun.append(served_by(om, *options))
        return begun[-1]

    yield start
    for one in begun:
        one.site.close()
