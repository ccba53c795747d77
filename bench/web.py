"""The web dashboard: a web server and its supervisor, and Chromium (Debian's `chromium`, by playwright from PyPI)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bench import web_logs, web_pages, web_server, web_terminal
from bench.figures import Figure, Row, Skipped
from bench.paint import TICK
from bench.product import Home, Product
from bench.sizes import choose_size
from bench.web_site import Visitor, chromium, served, why_no_browser

MISSIONS, TICKING, MANY = choose_size((1000, 100, 10_000), smoke=(60, 5, 120))
FIRST_GOAL, MANY_GOAL = 0.500, 0.800
BATCH = 500
"""Missions that are started at once."""
TOLD = f"{MISSIONS:,} missions, {TICKING} of which write each second"


def measure(product: Product, folder: str) -> Iterator[Row]:
    """Each row as it comes; those in a browser are skipped where there is none."""
    product.install_web()
    missing = why_no_browser()
    if missing is not None:
        yield Skipped("web, in a browser", missing)
    yield from idle(product, browser=missing is None)
    yield from web_server.crowded(product)
    if missing is None:
        yield from busy(product)
    yield from one(product, folder, browser=missing is None)


def idle(product: Product, *, browser: bool) -> Iterator[Figure]:
    """Missions that do nothing."""
    with product.home() as home:
        home.sleepers(MISSIONS)
        yield from web_server.start(home, MISSIONS)
        yield from web_server.at_rest(home, MISSIONS)
        if not browser:
            return
        with served(home) as site, chromium() as running:
            visitor = Visitor(running, site)
            yield from web_pages.quiet(home, visitor, MISSIONS)
            yield from web_pages.first_rows(visitor, MISSIONS, FIRST_GOAL)
            yield web_pages.jumps(visitor, MISSIONS)
            yield web_pages.presses(visitor)
            yield web_pages.events(home, visitor)
        _ended(home, MANY - MISSIONS)
        with served(home) as site, chromium() as running:
            visitor = Visitor(running, site)
            yield from web_pages.first_rows(visitor, MANY, MANY_GOAL)
            yield web_pages.jumps(visitor, MANY)


def busy(product: Product) -> Iterator[Figure]:
    """Missions of which some write."""
    with product.home() as home:
        with contextlib.closing(home.connect()) as api:
            api.call_each("run", [home.mission(TICK)] * TICKING)
        home.sleepers(MISSIONS - TICKING)
        with served(home) as site, chromium() as running:
            visitor = Visitor(running, site)
            yield from web_pages.keys(visitor, TOLD)
            yield from web_pages.busy(home, visitor, TOLD)


def one(product: Product, folder: str, *, browser: bool) -> Iterator[Row]:
    """A log, and a terminal."""
    with product.home() as home:
        mission = web_logs.written(home)
        with served(home) as site:
            yield from web_logs.server(site, mission)
            if browser:
                with chromium() as running:
                    visitor = Visitor(running, site)
                    yield from web_logs.browser(visitor, mission)
                    yield from web_terminal.measure(home, visitor, running, folder)


def _ended(home: Home, count: int) -> None:
    """Missions that have ended."""
    with contextlib.closing(home.connect()) as api:
        for start in range(0, count, BATCH):
            some = api.call_each("run", [home.mission(["true"])] * min(BATCH, count - start))
            api.until_ended([mission["id"] for mission in some])
