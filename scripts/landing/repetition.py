"""A plugin of pytest that runs the tests of OVERMIND_TEST_REPEATED, and no others, 20 times each.

Each run is a test of its own, with its number last: `test_it[a-7]`. A name that is not there fails the run.
"""

from __future__ import annotations

import os
import re

import pytest

from scripts.landing.unsteady import REPEATED, TIMES

_STEP = "repetition"


@pytest.fixture
def repetition(request: pytest.FixtureRequest) -> int:
    """The number of this run."""
    number: int = request.param
    return number


@pytest.hookimpl(trylast=True)  # its number comes after the values of the test
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test so many runs."""
    metafunc.fixturenames.append(_STEP)
    metafunc.parametrize(_STEP, range(TIMES), indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep those that are named."""
    names = set(os.environ[REPEATED].splitlines())
    kept = [item for item in items if _name(item.nodeid) in names]
    if missing := names - {_name(item.nodeid) for item in kept}:
        raise pytest.UsageError(f"no such test: {', '.join(sorted(missing))}")
    items[:] = kept


def _name(nodeid: str) -> str:
    """Return the name without the number of the run."""
    return re.sub(r"-\d+\]$", "]", nodeid) if re.search(r"-\d+\]$", nodeid) else re.sub(r"\[\d+\]$", "", nodeid)
