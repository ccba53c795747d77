"""`spec check` judges documents as a run would: by name, folder or file, for people and for programs."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from overmind_core.cli.context import Context
from overmind_core.cli.main import guarded
from overmind_core.domain.specs.check import CheckContext, check
from overmind_core.domain.specs.markdown import render
from overmind_core.domain.specs.reading import read
from overmind_core.domain.specs.spec import PHASES
from tests.kit.spec_documents import FILES, WHOLE, tasks, whole

EXPLORE, REQUIREMENTS, DESIGN, TASKS, SYNC = PHASES
FOLDER = ".overmind/specs/carts"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A repository with a spec to which nothing can be added, and we are in it."""
    top = tmp_path / "shop"
    for name in FILES:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("")
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    (top / FOLDER).mkdir(parents=True)
    monkeypatch.chdir(top)
    for phase in PHASES:
        write(phase, WHOLE[phase])
    return top


def write(phase, value, folder=FOLDER):
    with open(f"{folder}/{phase}.md", "w", encoding="utf-8") as file:
        file.write(render(read(phase, value, title="Carts").document))


@pytest.fixture
def spec_check(tmp_path, capsys):
    """Run the command; return its exit status and what it printed."""

    def run(*words, **environ):
        status = guarded(
            ["spec", "check", *words],
            Context({"OVERMIND_HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"], **environ}),
        )
        shown = capsys.readouterr()
        return status, shown.out.splitlines(), shown.err

    return run


ALL_PASSED = [f"{phase}  passed  1.00" for phase in PHASES]


def test_a_spec_is_checked_by_its_slug_from_anywhere_in_the_repository(shop, spec_check, monkeypatch):
    assert spec_check("carts") == (0, ALL_PASSED, "")
    monkeypatch.chdir(shop / "shop")
    assert spec_check("carts") == (0, ALL_PASSED, "")
    assert spec_check(f"../{FOLDER}") == (0, ALL_PASSED, "")


def test_a_fault_is_told_with_its_file_and_line_and_what_would_bring_more_points(shop, spec_check):
    write(TASKS, tasks({"hours": 6, "needs": ["TSK-009"]}, {"needs": ["TSK-008"]}))
    status, out, err = spec_check("carts", "tasks")
    assert status == 1
    assert out == [
        "tasks  failed  0.925",
        "  groups      0.10 of 0.10",
        "  complete    0.20 of 0.20",
        "  hours       0.075 of 0.15",
        "  acceptance  0.15 of 0.15",
        "  check       0.15 of 0.15",
        "  files       0.15 of 0.15",
        "  group       0.05 of 0.05",
        "  id          0.05 of 0.05",
        f"{FOLDER}/tasks.md:16: TSK-001 needs TSK-009, which is not a task",
        f"{FOLDER}/tasks.md:32: TSK-002 needs TSK-008, which is not a task",
        "  hint: hours: TSK-001 should take more than 0 and at most 4",
    ]
    assert err == "Error: invalid: tasks.md has 2 faults.\n"


def test_all_documents_that_do_not_pass_are_named(shop, spec_check):
    write(TASKS, tasks({"needs": ["TSK-009"]}))
    (shop / FOLDER / "sync.md").unlink()
    write(DESIGN, {"components": ["all of it"]})
    status, out, err = spec_check("carts")
    assert status == 1
    assert [line for line in out if "  passed  " in line] == ALL_PASSED[:2]
    assert err == "Error: invalid: design.md scores 0.185, below 0.70; tasks.md has 1 fault.\n"


def test_for_programs_it_is_json(shop, spec_check):
    """22: spec check says what the pure check says, twice the same."""
    write(TASKS, tasks({"hours": 6}))
    documents = {phase: read(phase, WHOLE[phase]).document for phase in PHASES[:3]}
    expected = check(read(TASKS, tasks({"hours": 6})).document, CheckContext(documents, FILES))
    status, out, _ = spec_check("carts", "tasks", "--json")
    assert status == 0
    assert json.loads(out[0]) == {
        "phase": "tasks",
        "score": 0.925,
        "passed": True,
        "parts": expected.parts,
        "vetoes": [],
        "hints": list(expected.hints),
    }
    assert spec_check("carts", "tasks", "--json")[1] == out
    assert [one["phase"] for one in json.loads(spec_check("carts", "--json")[1][0])] == list(PHASES)


def test_a_cycle_is_named_for_programs_too(shop, spec_check):
    """26: vetoed with its path."""
    write(TASKS, tasks({"needs": ["TSK-002"]}))
    status, out, err = spec_check(f"{FOLDER}/tasks.md", "--json")
    assert (status, err) == (1, "Error: invalid: tasks.md has 1 fault.\n")
    assert json.loads(out[0])["vetoes"] == [
        {"code": "cycle", "text": "tasks need each other: TSK-001 -> TSK-002 -> TSK-001", "line": 16}
    ]


def test_the_threshold_can_be_another(shop, spec_check):
    """24: 0.69 fails, 0.70 passes."""
    write(REQUIREMENTS, whole(REQUIREMENTS, assumptions=None))
    assert spec_check("carts", "requirements", "--threshold", "0.975")[0] == 0
    status, out, err = spec_check("carts", "requirements", "--threshold", "0.976")
    assert (status, out[0]) == (1, "requirements  failed  0.975")
    assert err == "Error: invalid: requirements.md scores 0.975, below 0.976.\n"
    assert spec_check("carts", "--threshold", "7")[0] == 2


def test_the_file_of_an_agent_is_compared_with_what_the_agent_was_given(shop, spec_check, tmp_path):
    given, handed_in = tmp_path / "in", tmp_path / "out"
    (given / "spec").mkdir(parents=True)
    handed_in.mkdir()
    write(REQUIREMENTS, WHOLE[REQUIREMENTS], given / "spec")
    (handed_in / "tasks.json").write_text(json.dumps(tasks({"requirements": None}), indent=1))
    path = str(handed_in / "tasks.json")
    status, out, _ = spec_check(path, OVERMIND_IN=str(given))
    assert status == 1
    assert out[1] == f"{path}:5: no task covers REQ-CART-001"
    assert spec_check(path)[0] == 0


def test_outside_of_a_repository_nothing_is_asked_of_files(tmp_path, spec_check, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(EXPLORE, WHOLE[EXPLORE], tmp_path)
    assert spec_check("explore.md") == (0, [ALL_PASSED[0]], "")


def test_a_key_file_that_is_not_there_is_a_fault(shop, spec_check):
    (shop / "shop" / "store.py").unlink()
    status, out, _ = spec_check("carts", "explore")
    assert status == 1
    assert f"{FOLDER}/explore.md:24: shop/store.py is not a file of the repository" in out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("nope",), "not_found: No spec 'nope'"),
        (("nope/tasks.md",), "not_found: No spec 'nope/tasks.md'"),
        (("carts", "plan"), "not_found: No phase 'plan'. Phases: explore, requirements, design, tasks, sync."),
        (("carts", "task"), "Did you mean tasks?"),
        (("shop",), "not_found: No documents in shop."),
        (("empty", "tasks"), "not_found: No tasks.md in .overmind/specs/empty."),
        (("README.md",), "invalid: README.md: unknown document. Name its phase after the file, such as tasks"),
    ],
)
def test_what_is_not_there_is_said_so(shop, spec_check, words, error):
    (shop / ".overmind/specs/empty").mkdir()
    status, out, err = spec_check(*words)
    assert (status, out) == (1, [])
    assert error in err


def test_a_file_can_be_checked_as_any_document(shop, spec_check):
    status, out, err = spec_check("README.md", "design")
    assert (status, out[0]) == (1, "design  failed  0.185")
    assert "README.md:1: expected `# design: TITLE` first" in out
    assert err == "Error: invalid: README.md has 2 faults.\n"


def test_a_pipe_or_link_in_place_of_a_document_is_a_fault_at_once(shop, spec_check):
    os.remove(f"{FOLDER}/tasks.md")
    os.mkfifo(f"{FOLDER}/tasks.md")
    os.remove(f"{FOLDER}/design.md")
    os.symlink("/etc/passwd", f"{FOLDER}/design.md")
    _, out, _ = spec_check("carts")
    assert f"{FOLDER}/tasks.md: it is not a regular file" in out
    assert f"{FOLDER}/design.md: it is a symbolic link" in out
    assert f"{FOLDER}/tasks.md: it is not a regular file" in spec_check(f"{FOLDER}/tasks.md")[1]


def test_whatever_stands_in_a_document_is_shown_literally(shop, spec_check):
    write(TASKS, tasks({"needs": ["\x1b[31m\u202eX"]}))
    out = "\n".join(spec_check("carts", "tasks")[1])
    assert "\x1b" not in out
    assert "\\u202eX" in out
