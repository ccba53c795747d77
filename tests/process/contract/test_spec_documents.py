"""The documents of specs: where they are, what an agent hands in, and what becomes of it."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest

from overmind_core.domain.specs.markdown import render
from overmind_core.domain.specs.reading import read
from overmind_core.domain.specs.spec import PhaseName
from tests.kit.repositories import Repository
from tests.kit.spec_documents import EXPLORE, tasks, whole
from tests.kit.specs import SpecWorld, changed, handed_in

pytestmark = pytest.mark.own_home
EXPLORE_70 = changed(PhaseName.EXPLORE, key_files=[], conventions={}, tech_stack=["Python 3.12"])
EXPLORE_69 = changed(PhaseName.EXPLORE, key_files=[], feature={}, patterns=[])


@pytest.fixture
def world(om):
    return SpecWorld(om)


def output(phase, **how):
    """What an agent hands in for a phase, with a trace of its attempt and of its feedback."""
    return [
        {"call": f'echo "{phase} $OVERMIND_ATTEMPT" >> ~/attempts'},
        {"read": "feedback.md"},
        *([{"output": how.pop("name", f"{phase}.json"), **how}] if how else []),
    ]


def feedbacks(om, world, phase, attempt):
    """What an attempt was told of the one before."""
    return om.ok("logs", f"carts/{phase}", "--run", str(attempt))


def test_two_specs_of_one_title_have_two_slugs_and_git_sees_their_folders_alone(om, world):
    """Acceptance 21."""
    made = [
        re.findall(r"^Spec created: ([0-9a-f]{8}) \(([a-z0-9-]+)\)\n$", om.ok(
            "spec", "new", "Carts", "--brief", "Visitors want carts.", "--", *world.command, cwd=world.folder
        ))[0]
        for _ in range(2)
    ]  # fmt: skip
    assert [slug for _, slug in made] == ["carts", "carts-2"]
    for _, slug in made:
        assert os.listdir(os.path.dirname(world.path("", slug))) == ["brief.md"]
        assert world.document("brief.md", slug) == "# Carts\n\nVisitors want carts.\n"
    assert [(one["mission"], one["spec"], one["state"]) for one in om.events("spec")] == [
        (spec, slug, "draft") for spec, slug in made
    ]
    world.write(phases={"explore": [{"touch": "at"}, {"until": "go"}]})
    world.run()
    assert world.repository.git("status", "--porcelain", "--untracked-files=all").splitlines() == [
        "?? .overmind/specs/carts-2/brief.md",
        "?? .overmind/specs/carts/brief.md",
    ]
    assert world.repository.git("check-ignore", ".overmind/worktrees/x") == ".overmind/worktrees/x"


def test_a_spec_gets_a_slug_of_its_own_while_another_one_of_its_title_runs(om, world):
    world.write(phases={"explore": [{"until": "go"}]})
    world.new()
    world.run()
    assert "(carts-2)" in om.ok("spec", "new", "Carts", "--", *world.command, cwd=world.folder)


def test_a_document_scores_for_a_run_what_it_scores_for_check_twice_the_same(om, world):
    """Acceptance 22, of documents in a folder; any document is tried in the tests of the domain."""
    world.new()
    world.run()
    world.asked("phase")
    scores = {one["phase"]: one["score"] for one in world.show()["phases"] if one["score"] is not None}
    checked = om.json("spec", "check", "carts", "--json", cwd=world.folder)
    assert {one["phase"]: one["score"] for one in checked} == scores
    assert om.json("spec", "check", "carts", "--json", cwd=world.folder) == checked
    for phase in scores:
        text = world.document(f"{phase}.md")
        assert om.json("spec", "check", "carts", phase, "--json", cwd=world.folder)["passed"]
        assert world.document(f"{phase}.md") == text


def test_an_agent_that_hands_in_no_document_or_a_broken_one_is_told_so_and_what_was_before_is_kept(om, world):
    """Acceptance 23."""
    broken = '{"overview": "x",\n "components": [}\n'
    world.write(phases={
        "design.1": output("design"),
        "design.2": output("design", text=broken),
        "design.3": output("design", text="[1, 2]"),
    })  # fmt: skip
    world.new()
    world.run()
    spec = world.until("failed")
    assert world.attempts() == ["explore 1", "requirements 1", "design 1", "design 2", "design 3"]
    quest = world.quest("carts/design")
    tried = [one["class"] for one in quest["attempt_list"]]
    assert (quest["status"], tried) == ("failed", ["output_missing", "output_invalid", "output_invalid"])
    assert "did not hand in design.json" in feedbacks(om, world, "design", 2)
    assert "design.json:2: not valid JSON: Expecting value, column 17" in feedbacks(om, world, "design", 3)
    assert [one["state"] for one in spec["phases"]] == ["passed", "passed", "failed", "pending", "pending"]
    assert sorted(os.listdir(os.path.dirname(world.path("")))) == ["brief.md", "explore.md", "requirements.md"]
    world.write(phases={"design": handed_in(PhaseName.DESIGN), "design.1": [], "design.2": [], "design.3": []})
    world.write(phases={f"design.{number}": handed_in(PhaseName.DESIGN) for number in range(1, 5)})
    assert world.run() == "Spec carts: design queued\n"
    world.asked("phase")
    assert world.attempts()[5:] == ["design 4", "tasks 1"]


def test_a_document_just_below_the_threshold_is_written_again_with_its_faults_as_feedback(om, world):
    """Acceptance 24."""
    world.write(phases={
        "explore.1": output("explore", data=EXPLORE_69),
        "explore.2": output("explore", data=EXPLORE_70),
    })  # fmt: skip
    world.new()
    world.run("carts", "--to", "explore")
    world.until("draft")
    phase = world.phase("explore")
    assert (phase["state"], phase["score"], phase["attempts"]) == ("passed", 0.7, 2)
    told = feedbacks(om, world, "explore", 2)
    assert "The score of explore.json is 0.69; it needs 0.70." in told
    assert "hint: feature: missing" in told
    assert world.quest("carts/explore")["attempt_list"][0]["class"] == "output_invalid"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "tasks.json", "text": "[]"}, "tasks.json:1: must be an object"),
    ({"name": "tasks.md", "text": "# tasks\n## tasks\n### TSK-001 A\n### TSK-001 B\n"}, "tasks.md:4: TSK-001"),
    ({"name": "tasks.json", "data": tasks({"needs": ["TSK-002"]})}, "TSK-001 -> TSK-002 -> TSK-001"),
    ({"name": "tasks.json", "data": tasks({"requirements": []})}, "REQ-CART-001"),
    ({"name": "tasks.json", "data": tasks({"creates": ["../x"]})}, "must not contain '..'"),
    ({"name": "tasks.md", "text": "x" * ((1 << 20) + 1)}, "tasks.md is larger than 1 MiB."),
]


def test_what_is_wrong_in_a_document_is_told_to_its_agent_by_name(om, world):
    """Acceptance 26, and inputs of other people: through a run."""
    world.write(phases={f"tasks.{number}": output("tasks", **how) for number, (how, _) in enumerate(WRONG, 1)})
    world.write(phases={"tasks": [{"read": "feedback.md"}, *handed_in(PhaseName.TASKS)]})
    world.new("Carts", "--retries", str(len(WRONG)))
    world.run()
    world.asked("phase")
    for number, (_, told) in enumerate(WRONG, 2):
        assert told in feedbacks(om, world, "tasks", number)
    assert (world.phase("tasks")["state"], world.phase("tasks")["attempts"]) == ("review", len(WRONG) + 1)


def test_only_a_regular_file_in_utf8_is_taken_as_a_document(om, world):
    put = [
        'ln -s /etc/passwd "$OVERMIND_OUTPUT_DIR/explore.json"',
        'mkfifo "$OVERMIND_OUTPUT_DIR/explore.json"',
        'mkdir "$OVERMIND_OUTPUT_DIR/explore.json"',
        'printf \'{"overview": "\\351"}\' > "$OVERMIND_OUTPUT_DIR/explore.json"',
    ]
    world.write(phases={f"explore.{number}": [{"call": how}] for number, how in enumerate(put, 1)})
    world.write(phases={"explore": output("explore", data=EXPLORE)})
    world.new("Carts", "--retries", str(len(put)))
    world.run("carts", "--to", "explore")
    world.until("draft")
    tried = world.quest("carts/explore")["attempt_list"]
    assert [one["class"] for one in tried] == [*["output_missing"] * 3, "output_invalid", None]
    assert "explore.json" in feedbacks(om, world, "explore", 5)


def broken_link(path):
    os.symlink("/nothing", path)


def big(path):
    with open(path, "w") as file:
        file.write("x" * ((1 << 20) + 1))


def binary(path):
    with open(path, "wb") as file:
        file.write(b"# design: \xff\xfe\n")


PLACES = [
    (broken_link, "it is a symbolic link"),
    (os.mkfifo, "it is not a regular file"),
    (os.mkdir, "Is a directory"),
    (big, "it is larger than 1024 KiB"),
    (binary, "UTF-8"),
]


def test_whatever_lies_in_the_place_of_a_document_is_a_fault_that_names_it(om, world):
    world.new()
    world.run("carts", "--to", "requirements")
    world.until("draft")
    path = world.path("design.md")
    for put, told in PLACES:
        put(path)
        shown = om.ok("spec", "show", "carts")
        assert re.search(rf"^  design\.md(:\d+)?: .*{told}", shown, re.MULTILINE), shown
        refused = om.refused("spec", "run", "carts", code="invalid")
        assert refused.startswith("design.md")
        assert told in refused
        checked = om("spec", "check", "carts", cwd=world.folder)
        assert checked.returncode == 1
        assert told in checked.stdout
        (os.rmdir if os.path.isdir(path) else os.unlink)(path)
    assert world.attempts() == ["explore 1", "requirements 1"]


def test_windows_line_ends_and_a_mark_of_byte_order_are_layout(om, world):
    world.new()
    world.run("carts", "--to", "design")
    world.until("draft")
    text = world.document("requirements.md")
    with open(world.path("requirements.md"), "wb") as file:
        file.write(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert world.states()["design"] == "passed"
    assert json.loads(om.ok("spec", "check", "carts", "requirements", "--json", cwd=world.folder))["passed"]


def test_check_needs_no_daemon_and_no_home_and_tells_faults_by_file_and_line(om):
    folder = os.path.join(om.environment["HOME"], "shop")
    Repository(folder).commit("first", {"README.md": "shop\n"})
    slug = os.path.join(folder, ".overmind", "specs", "carts")
    os.makedirs(slug)
    cycle = tasks({"needs": ["TSK-002"], "modifies": []}, {"modifies": []})
    with open(os.path.join(slug, "tasks.md"), "w") as file:
        file.write(render(read(PhaseName.TASKS, cycle, title="Carts").document))
    env = {"OVERMIND_HOME": om.path("nowhere")}
    for target in ("carts", ".overmind/specs/carts", ".overmind/specs/carts/tasks.md"):
        checked = om("spec", "check", target, cwd=folder, env=env)
        assert checked.returncode == 1, target
        assert re.search(
            r"^\.overmind/specs/carts/tasks\.md:\d+: .*TSK-001 -> TSK-002 -> TSK-001$", checked.stdout, re.MULTILINE
        )
        assert checked.stderr == "Error: invalid: tasks.md has 1 fault.\n"
    assert not os.path.exists(om.path("nowhere"))
    assert om.refused("spec", "check", "carts", "taks", code="not_found", cwd=folder, env=env).startswith(
        "No phase 'taks'"
    )
    assert om.refused("spec", "check", "cart", code="not_found", cwd=folder, env=env).startswith("No spec 'cart'")
    with open(os.path.join(folder, "requirements.json"), "w") as file:
        json.dump(whole(PhaseName.REQUIREMENTS), file)
    assert om.ok("spec", "check", "requirements.json", cwd=folder, env=env).startswith("requirements  passed  1.00\n")
