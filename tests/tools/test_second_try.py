"""What CI tries again: a few failed tests, with their files and under the same load; never what was left behind."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from xml.sax.saxutils import quoteattr

import pytest

from scripts.second_try.decision import MOST, Stands, failed_once, listed
from tests.kit.overmind import REPOSITORY

BODY = "def test_it(): assert False"
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


@pytest.fixture
def reported(tmp_path):
    """The report of a real run of a file of tests."""

    def run(text, *options):
        (tmp_path / "test_one.py").write_text(text)
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={tmp_path}"]
        words += ["-o", "junit_family=xunit1", "--junitxml=report.xml", *options, "test_one.py"]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        finished = subprocess.run([sys.executable, *words], cwd=tmp_path, env=environ, capture_output=True, timeout=60)
        assert finished.returncode != 0
        return str(tmp_path / "report.xml")

    return run


@pytest.mark.parametrize("text", [BODY, SET_UP], ids=["body", "set-up"])
def test_a_test_that_fails_is_tried_again(reported, text):
    assert failed_once(reported(text), ()) == ["test_one.py::test_it"]


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        (TEARDOWN, (), "left after the test"),
        (BOTH, (), "left after the test"),
        (SESSION, (), "processes left by the test run"),
        (SESSION, ("-p", "xdist.plugin", "-n", "2"), "processes left by the test run"),
        (IMPORT, (), "collection failure"),
    ],
    ids=["teardown", "both", "session", "session of a worker", "import"],
)
def test_what_says_nothing_of_who_did_it_stands(reported, text, options, why):
    with pytest.raises(Stands, match=why):
        failed_once(reported(text, *options), ())


def report_of(folder, *names):
    """A report in which these tests, and none of the others, have failed."""
    cases = [
        f"<testcase file='tests/test_a.py' name={quoteattr(name)}><failure message='x'/></testcase>" for name in names
    ]
    path = folder / "report.xml"
    fine = (
        "<testcase file='tests/test_a.py' name='fine'/><testcase file='tests/test_a.py' name='s'><skipped/></testcase>"
    )
    path.write_text(f"<testsuites><testsuite>{fine}{''.join(cases)}</testsuite></testsuites>")
    return str(path)


def test_three_may_be_an_accident_and_four_are_none(tmp_path):
    names = [f"test_it[<{number}> &]" for number in range(MOST)]
    assert failed_once(report_of(tmp_path, *names), ()) == [f"tests/test_a.py::{name}" for name in names]
    with pytest.raises(Stands, match="4 tests have failed"):
        failed_once(report_of(tmp_path, *names, "another"), ())


def test_one_that_was_unsteady_before_is_to_be_mended(tmp_path):
    seen = listed("# why\n\ntests/test_a.py::b\n  tests/test_a.py::c [x y]\n")
    assert seen == {"tests/test_a.py::b", "tests/test_a.py::c [x y]"}
    assert failed_once(report_of(tmp_path, "a"), seen)
    with pytest.raises(Stands, match=r"to be mended: tests/test_a\.py::b$"):
        failed_once(report_of(tmp_path, "a", "b"), seen)


def test_a_worker_that_died_proves_nothing(tmp_path):
    told = "failed on setup with \"worker 'gw0' crashed while running 'tests/test_a.py::test_it'\""  # as pytest has it
    case = f"<testcase file='tests/test_a.py' name='test_it'><error message={quoteattr(told)}/></testcase>"
    (tmp_path / "report.xml").write_text(f"<testsuites><testsuite>{case}</testsuite></testsuites>")
    with pytest.raises(Stands, match="crashed while running"):
        failed_once(str(tmp_path / "report.xml"), ())


def test_a_run_that_failed_without_a_failed_test_or_a_report_stands(tmp_path):
    with pytest.raises(Stands, match="something else has"):
        failed_once(report_of(tmp_path), ())
    with pytest.raises(Stands, match="no report"):
        failed_once(str(tmp_path / "none.xml"), ())
    (tmp_path / "torn.xml").write_text("<testsuites><testsu")
    with pytest.raises(Stands, match="no report"):
        failed_once(str(tmp_path / "torn.xml"), ())


def test_the_list_of_those_seen_before_names_tests_that_are_there():
    with open(os.path.join(REPOSITORY, ".ci", "seen-unsteady"), encoding="utf-8") as file:
        for name in listed(file.read()):
            path, _, test = name.partition("::")
            with open(os.path.join(REPOSITORY, path), encoding="utf-8") as text:
                assert f"def {test.partition('[')[0]}(" in text.read(), name


# --- .ci/run, with a `make` that only says how it was called -------------------------------------------------------

MAKE = """\
#!/bin/sh
echo "$*" >> calls
report=$(echo "$*" | sed -n 's/.*--junitxml=\\([^ ]*\\).*/\\1/p')
[ "$1" = test ] || exit 0
case $report in
*-first.xml) [ ! -e first.xml ] || { cp first.xml "$report"; exit 2; } ;;
*-second.xml) [ ! -e second.xml ] || { cp second.xml "$report"; exit 2; } ;;
esac
"""


@pytest.fixture
def ci(tmp_path):
    """Run `.ci/run` in a folder of its own; its exit status, what it said, and how `make` was called."""
    for name in (".ci", "scripts/second_try"):
        shutil.copytree(os.path.join(REPOSITORY, name), tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("make", "tmux", "vim", "openssl", "npm"):  # it installs what is missing
        (programs / name).write_text(MAKE)
        (programs / name).chmod(stat.S_IRWXU)
    (programs / "python3").symlink_to(sys.executable)

    def run():
        environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        finished = subprocess.run(
            ["bash", ".ci/run"], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60
        )
        calls = [line.partition(" ARGS=")[0] for line in (tmp_path / "calls").read_text().splitlines()]
        return finished.returncode, finished.stdout + finished.stderr, calls

    return run


ALL = ["test", "check", "test-claude", "demo-engine", "test-docker", "test-postgres", "test-pools", "test-web"]


def test_ci_that_passes_tries_nothing_again(ci):
    code, said, calls = ci()
    assert (code, calls) == (0, ALL)
    assert "UNSTEADY" not in said


def test_ci_tries_a_failed_test_again_with_its_file_and_as_many_workers_and_names_it(ci, tmp_path):
    os.rename(report_of(tmp_path, "test_it[a b]"), tmp_path / "first.xml")
    code, said, calls = ci()
    assert (code, calls) == (0, ["test", "test TESTS=tests/test_a.py ", *ALL[1:]])
    assert "UNSTEADY" in said
    assert said.count("tests/test_a.py::test_it[a b]") == 2


def test_ci_fails_with_what_fails_twice(ci, tmp_path):
    os.rename(report_of(tmp_path, "test_it"), tmp_path / "first.xml")
    shutil.copy(tmp_path / "first.xml", tmp_path / "second.xml")
    code, said, calls = ci()
    assert (code, len(calls)) == (1, len(ALL) + 1)
    assert "make test: exit 2" in said


def test_ci_fails_at_once_with_one_that_is_listed(ci, tmp_path):
    os.rename(report_of(tmp_path, "test_it"), tmp_path / "first.xml")
    with open(tmp_path / ".ci" / "seen-unsteady", "a") as file:
        file.write("tests/test_a.py::test_it\n")
    code, said, calls = ci()
    assert (code, calls) == (1, ALL)
    assert "Not tried again: unsteady before, and to be mended: tests/test_a.py::test_it." in said
