"""Homes for tests beside real engines, as tests of processes have them; and what the real agents have proven."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.kit import proofs
from tests.process.conftest import agents, home, make_home, om, shared_home

__all__ = ["agents", "home", "make_home", "om", "shared_home"]


def pytest_configure(config: pytest.Config) -> None:
    """Have one process write down what is proven: that which hears of the tests of all workers."""
    if config.getoption("update_proofs") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(proofs.Recorder())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have a report name what its test proves."""
    report = yield
    report.user_properties += [(proofs.PROPERTY, list(proof)) for proof in proofs.claimed(item)]
    return report
