"""Fixtures of all tests, and the proof that nothing is left. Homes are fixtures of `tests/process/conftest.py`."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.kit import cost, fork_server, look, person, processes, scratch, tiers, torture
from tests.kit import home as homes
from tests.kit.cases import Cases
from tests.kit.clock import FakeClock
from tests.kit.shared_home import FAILED
from tests.kit.waiting import eventually

BILL = cost.Bill()
"""The bill of this process: a worker's own, or that of all workers in the process that they work for."""

# Compiled tests are kept whatever the shell says: to rewrite the assertions of all files takes each worker 7 seconds.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

scratch.prefer_memory()
person.replace()
# Fails the one test, so that its fixtures still clean up. A slow day is no failure, as for all patience of ours.
os.environ.setdefault("PYTEST_TIMEOUT", f"{120 * min(3.0, look.slowness()):.0f}")

hypothesis.settings.register_profile(
    "suite",
    max_examples=torture.examples(200),
    deadline=None,  # other workers share the processor: the time of one example says nothing
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")


# Whoever started us in the background of a script has us ignore ctrl-c, and whatever we start would inherit that.
for _number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number is signal.SIGINT else signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Have `tests/contract/test_goldens.py` write what it should compare with, and `tests/engines` what was proven."""
    parser.addoption("--update-goldens", action="store_true", help="write the golden files anew")
    parser.addoption("--update-proofs", action="store_true", help="write what the real programs have proven")


@pytest.fixture(scope="session", autouse=True)
def marker() -> Iterator[str]:
    """What every process of this test process inherits; at its end, each worker's for its own, none of them lives.

    The last test of the worker tells it, whoever left them: CI never tries that again.
    """
    yield processes.RUN
    fork_server.end()
    with contextlib.suppress(AssertionError):  # who is about to end gets as long for it as at the end of a home
        eventually(lambda: not processes.of_run(processes.RUN), timeout=homes.PATIENCE)
    left = processes.of_run(processes.RUN)
    assert not left, "processes left by the test run:\n" + "\n".join(left)


@pytest.fixture
def absent(tmp_path: Path) -> str:
    """A path at which nothing is, whatever the machine has: below the test's own folder, where nobody makes it."""
    return str(tmp_path / "absent")


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until it is moved."""
    return FakeClock()


@pytest.fixture
def cases() -> Iterator[Cases]:
    """A table of cases, judged when all were tried."""
    table = Cases()
    yield table
    table.verdict()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Note what the test has cost, with its fixtures; its file decides whether our programs may be started."""
    with tiers.running(str(item.path)), BILL.test(item.nodeid):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Find the tests in as many workers at once as there are cores: who comes later reads what they have compiled."""
    gc.disable()  # what is found stays
    try:
        with _turn(os.environ.get("PYTEST_XDIST_WORKER", "")):
            return (yield)
    finally:
        gc.enable()


@contextlib.contextmanager
def _turn(worker: str) -> Iterator[None]:
    """A turn of this worker, `gw` and its number, with those that share its core; at once where there are none."""
    if not worker:
        yield
        return
    here = os.path.dirname(__file__)  # its folders are what can be locked without making a file
    folders = sorted(entry.path for entry in os.scandir(here) if entry.is_dir() and entry.name[0] != "_")
    fd = os.open(folders[int(worker.removeprefix("gw")) % (os.cpu_count() or 1) % len(folders)], os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with those that wait long: at the end all other workers would wait for them."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Look for garbage less often, and no longer in what lives to the end: that took a third of each pilot's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Hand the worker's bill to the process it works for, and look for garbage once more.

    pytest does that five times at its end, each time through all that was ever loaded.
    """
    gc.collect()
    gc.freeze()
    workeroutput = getattr(session.config, "workeroutput", None)
    if workeroutput is not None or not BILL.is_of_workers:
        BILL.close()
    if workeroutput is not None:
        workeroutput["bill"] = (BILL.seconds, BILL.looks, BILL.tests, BILL.waits)
    result = yield  # the workers end in it
    if BILL.waits and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the bill of a worker that has ended; one that crashed has none."""
    if "bill" in getattr(node, "workeroutput", {}):
        BILL.merge(*node.workeroutput["bill"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the tests have cost."""
    if BILL.tests:
        terminalreporter.section("cost")
        for line in BILL.lines():
            terminalreporter.line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the daemons logged."""
    report = yield
    overmind = getattr(item, "funcargs", {}).get("om")
    if report.failed:
        item.stash[FAILED] = True
    if report.failed and report.when == "call" and overmind is not None:
        report.sections.append(("daemon and keeper", overmind.diagnosis()))
    return report
