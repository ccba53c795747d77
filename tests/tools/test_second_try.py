"""What a landing tries again: a few failed tests; never what was left behind, nor a crashed worker."""

from __future__ import annotations

import os
import subprocess
import sys
from xml.sax.saxutils import quoteattr

import pytest

from scripts.landing.reports import OPTIONS, Cost, Unreadable, read_cases, read_cost, read_left_out
from scripts.landing.second_try import FailedTest, Final, check_second_try, choose_failed

BODY = "def test_it(): assert False"
CLASS = "class TestOne:\n    def test_it(self): assert False"
SET_UP = """
import pytest
@pytest.fixture
def broken(): raise RuntimeError("no luck")
def test_it(broken): pass
"""
TEARDOWN = """
import pytest
@pytest.fixture
def leaving():
    yield
    assert not ["a process"], "left after the test"
def test_it(leaving): pass
"""
BOTH = TEARDOWN.replace("def test_it(leaving): pass", "def test_it(leaving): assert False")
SESSION = """
import pytest
@pytest.fixture(scope="session", autouse=True)
def marker():
    yield
    assert not ["a process"], "processes left by the test run"
def test_first(): pass
def test_last(): pass
"""
IMPORT = "import nothing_of_that_name\ndef test_it(): pass"
CRASH = "import os\ndef test_it(): os._exit(1)"
SEEDED = """
import pytest
@pytest.mark.parametrize("word", ["a b", "c | [d]"])
def test_it(word):
    print("OVERMIND_TEST_SEED=77")
    assert word == "a b", "first\\nsecond"
"""


@pytest.fixture
def reported(tmp_path):
    """The report of a real run of a file of tests."""

    def run(text, *options):
        (tmp_path / "test_one.py").write_text(text)
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={tmp_path}"]
        words += [*f"{OPTIONS}report.xml".split(), *options, "test_one.py"]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        finished = subprocess.run([sys.executable, *words], cwd=tmp_path, env=environ, capture_output=True, timeout=60)
        assert finished.returncode != 0
        return read_cases(str(tmp_path / "report.xml"))

    return run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BODY, FailedTest("test_one.py::test_it", "test_one.py", "assert False", "")),
        (CLASS, FailedTest("test_one.py::TestOne::test_it", "test_one.py", "assert False", "")),
        (SET_UP, FailedTest("test_one.py::test_it", "test_one.py", "RuntimeError: no luck", "")),
        (
            SEEDED,
            FailedTest(
                "test_one.py::test_it[c | [d]]", "test_one.py", "AssertionError: first", "OVERMIND_TEST_SEED=77"
            ),
        ),
    ],
    ids=["body", "class", "set-up", "seeded"],
)
def test_a_test_that_fails_is_tried_again(reported, text, expected):
    assert choose_failed(reported(text)) == [expected]


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        (TEARDOWN, (), "left after the test"),
        (BOTH, (), "left after the test"),
        (SESSION, (), "processes left by the test run"),
        (SESSION, ("-p", "xdist.plugin", "-n", "2"), "processes left by the test run"),
        (IMPORT, (), "collection failure"),
        (CRASH, ("-p", "xdist.plugin", "-n", "1"), "crashed while running"),
    ],
    ids=["teardown", "both", "session", "session of a worker", "import", "crash"],
)
def test_what_says_nothing_of_who_did_it_is_final(reported, text, options, why):
    with pytest.raises(Final, match=why):
        choose_failed(reported(text, *options))


def cases_of(folder, *entries):
    """The cases of a report with these entries: a test, and the XML inside."""
    cases = [f"<testcase file='tests/test_a.py' name={quoteattr(name)}>{inside}</testcase>" for name, inside in entries]
    path = folder / "report.xml"
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return read_cases(str(path))


FAILURE, SKIPPED = "<failure message='no'/>", "<skipped message='no htop'/>"


def test_a_red_run_without_a_failed_test_is_final(tmp_path):
    with pytest.raises(Final, match="something else has"):
        choose_failed(cases_of(tmp_path, ("fine", ""), ("s", SKIPPED)))


@pytest.mark.parametrize("text", [None, "", "<testsuites><testsu"], ids=["missing", "empty", "torn"])
def test_a_report_that_is_not_whole_is_said_to_be(tmp_path, text):
    if text is not None:
        (tmp_path / "report.xml").write_text(text)
    with pytest.raises(Unreadable, match="there is no report of it"):
        read_cases(str(tmp_path / "report.xml"))


@pytest.mark.parametrize(
    ("code", "second", "why"),
    [
        (0, [("a", ""), ("b", SKIPPED)], None),
        (2, [("a", ""), ("b", FAILURE)], "exit 2"),
        (0, [("a", SKIPPED)], "not all of these ran"),
        (0, [("b", "")], "not all of these ran"),
    ],
    ids=["passes", "another fails", "is skipped", "is missing"],
)
def test_the_second_try_is_green_when_the_test_itself_passes(tmp_path, code, second, why):
    failed = choose_failed(cases_of(tmp_path, ("a", FAILURE), ("b", "")))
    cases = cases_of(tmp_path, *second)
    if why is None:
        check_second_try(failed, code, cases)
    else:
        with pytest.raises(Final, match=why):
            check_second_try(failed, code, cases)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("12 passed\ncost: 267 s of processor time, 98,415 looks of 125,000\n", Cost(267.0, "98,415 of 125,000")),
        ("cost: 1,267.5 s of processor time\nmake: *** [test] Error 1\n", Cost(1267.5, "")),
        ("cost: 1 s of processor time\ncost: 2 s of processor time, 9 looks\n", Cost(2.0, "9")),
        ("the cost: 1 s of processor time", None),
    ],
    ids=["whole", "without looks", "the last", "another sentence"],
)
def test_the_cost_is_read_from_the_output(output, expected):
    assert read_cost(output) == expected


def test_the_reason_is_read_why_an_engine_was_left_out():
    assert read_left_out("Installing\nmake test-web: skipped. it needs root\n16 skipped\n") == "it needs root"
    assert read_left_out("16 skipped\n") is None
