"""Folders of specs that can't be read or written, and whatever else lies in their place: nobody works by that."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from overmind_core.domain.specs.spec import PhaseName
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository
from tests.kit.spec_documents import write_files
from tests.kit.specs import SpecWorld, done, handed_in
from tests.kit.waiting import eventually
from tests.process.faults.test_read_only import read_only

pytestmark = pytest.mark.own_home
AFTER_DESIGN = ["explore 1", "requirements 1", "design 1"]


@pytest.fixture
def world(om):
    return SpecWorld(om)


def designed(world):
    world.new()
    world.run("carts", "--to", "design")
    world.until("draft")


def put_away(world):
    folder = os.path.dirname(world.path("brief.md"))
    os.rename(folder, f"{folder}-away")
    return folder


def test_without_its_folder_a_spec_waits_and_goes_on_where_it_was_once_that_is_back(om, world):
    """Another branch is checked out, which has no such folder: no agent begins from nothing."""
    designed(world)
    folder = put_away(world)
    do = "Restore it, or archive the spec: overmind spec archive carts"
    told = f"The folder {folder} of spec carts does not exist. {do}\n"
    assert om.refused("spec", "run", "carts", code="not_found") == told
    assert om.refused("spec", "run", "carts", "--from", "explore", code="not_found") == told
    assert om.refused("spec", "sync", "carts", code="not_found") == told
    assert told.rstrip() in om.ok("spec", "show", "carts")
    spec = world.show()
    assert (spec["state"], [one["state"] for one in spec["phases"]]) == (
        "failed", ["failed", "passed", "passed", "pending", "pending"],
    )  # fmt: skip
    om.ok("shutdown", "--keep")
    om.ok("start")
    assert world.states()["explore"] == "failed"
    os.symlink(f"{folder}-away", folder)
    assert "is a symbolic link" in om.refused("spec", "run", "carts", code="not_found")
    os.unlink(folder)
    os.rename(f"{folder}-away", folder)
    assert list(world.states().values()) == ["passed", "passed", "passed", "pending", "pending"]
    assert world.run() == "Spec carts: tasks queued\n"
    world.asked("phase")
    assert world.attempts() == [*AFTER_DESIGN, "tasks 1"]


def test_a_folder_that_goes_while_an_agent_works_starts_no_other_one(om, world):
    world.write(phases={"design": [{"touch": om.path("at")}, {"until": om.path("go")}, *handed_in(PhaseName.DESIGN)]})
    world.new()
    world.run()
    eventually(lambda: os.path.exists(om.path("at")), what="design runs")
    folder = put_away(world)
    with open(om.path("go"), "w"):
        pass
    world.until("failed")
    assert world.quest("carts/design")["attempt_list"][0]["class"] == "invalid"
    os.rename(f"{folder}-away", folder)
    assert world.run() == "Spec carts: design queued\n"
    world.asked("phase")
    assert world.attempts() == [*AFTER_DESIGN, "design 2", "tasks 1"]


def link(path):
    os.symlink("/etc/passwd", path)


def link_inside(path):
    os.mkdir(os.path.dirname(path))
    os.symlink("/tmp", path)


def too_large(path):
    with open(path, "w") as file:
        file.write("x" * (64 * 1024 + 1))


def latin(path):
    with open(path, "wb") as file:
        file.write("# Carts\n\nFür alle\n".encode("latin-1"))


BRIEFS = [
    (None, "not_found", "brief.md: missing. Write the brief again\n"),
    (link, "invalid", "brief.md: it is a symbolic link\n"),
    (os.mkfifo, "invalid", "brief.md: it is not a regular file\n"),
    (too_large, "too_large", "brief.md: it is larger than 64 KiB\n"),
    (latin, "invalid", "brief.md:3: the file is not UTF-8 from here on\n"),
]


def test_a_brief_that_can_not_be_read_is_named_and_no_agent_works_without_it(om, world):
    designed(world)
    text = world.document("brief.md")
    for put, code, told in BRIEFS:
        os.unlink(world.path("brief.md"))
        if put is not None:
            put(world.path("brief.md"))
        assert om.refused("spec", "run", "carts", code=code) == told
        assert told.rstrip() in om.ok("spec", "show", "carts")
        assert world.states()["requirements"] == "passed"
        if put is not None:
            os.unlink(world.path("brief.md"))
        with open(world.path("brief.md"), "w") as file:
            file.write(text)
        assert world.states()["explore"] == "passed"
    with open(world.path("brief.md"), "a") as file:
        file.write("They want them now.\n")
    assert [state for state in world.states().values() if state == "stale"] == ["stale"] * 3
    assert world.attempts() == AFTER_DESIGN


@pytest.mark.linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_folder_that_can_not_be_written_is_refused_before_an_agent_works(om, world):
    designed(world)
    folder = os.path.dirname(world.path("brief.md"))
    with read_only(folder):
        told = f"{folder} can't be written: Read-only file system.\n"
        assert om.refused("spec", "run", "carts", code="forbidden") == told
        assert world.show()["state"] == "draft"
    with read_only(os.path.dirname(folder)):
        told = f"{folder}-2 can't be written: Read-only file system. Nothing was created.\n"
        assert om.refused("spec", "new", "Carts", "--", "true", code="forbidden", cwd=world.folder) == told
    assert world.attempts() == AFTER_DESIGN
    assert [one["slug"] for one in om.api("specs")] == ["carts"]


@pytest.mark.linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_folder_that_becomes_read_only_while_an_agent_works_keeps_what_it_handed_in(om, world):
    world.write(phases={"explore": [{"touch": om.path("at")}, {"until": om.path("go")}, *handed_in(PhaseName.EXPLORE)]})
    world.new()
    world.run()
    eventually(lambda: os.path.exists(om.path("at")), what="explore runs")
    folder = os.path.dirname(world.path("brief.md"))
    with read_only(folder):
        with open(om.path("go"), "w"):
            pass
        world.until("failed")
        quest = world.quest("carts/explore")
        assert [one["class"] for one in quest["attempt_list"]] == ["forbidden"]
        shown = om.ok("spec", "show", "carts")
        assert f"its quest has failed: it was not allowed\n  {folder} can't be written: Read-only file system." in shown
    world.write(phases={"explore": [{"read": "partial/explore.json"}, *handed_in(PhaseName.EXPLORE)]})
    world.run("carts", "--to", "explore")
    world.until("draft")
    assert '"codebase_summary"' in om.ok("logs", "carts/explore", "--run", "2")


def empty(path):
    with open(path, "w"):
        pass


OTHERS = [
    (".overmind", empty),
    (".overmind", os.mkfifo),
    (".overmind", lambda path: os.symlink("/tmp", path)),
    (".overmind/specs", link_inside),
]


def test_whatever_lies_in_the_place_of_its_folder_is_named_and_left_alone(om, world):
    for place, put in OTHERS:
        path = os.path.join(world.folder, place)
        put(path)
        told = om.refused("spec", "new", "Carts", "--", "true", code="invalid", cwd=world.folder)
        assert told == f"{path} can't be written: it is not a folder. Nothing was created.\n"
        os.unlink(path)
    assert om.api("specs") == []
    assert not os.path.lexists("/tmp/carts")


RULES = [
    (".gitignore", "*.pyc\n\n.overmind/\n", ".gitignore:3: .overmind/"),
    (".gitignore", "*.md\n", ".gitignore:1: *.md"),
    (".git/info/exclude", "# mine\n.overmind\n", ".git/info/exclude:2: .overmind"),
]


def test_a_rule_of_the_person_that_hides_a_spec_from_git_is_named_with_its_line(om, world):
    for number, (name, lines, told) in enumerate(RULES):
        world.repository.write({name: lines})
        finished = om("spec", "new", f"Carts {number}", "--", "true", cwd=world.folder)
        folder = os.path.dirname(world.path("brief.md", f"carts-{number}"))
        assert finished.returncode == 0
        assert finished.stderr.splitlines()[0] == (
            f"Warning: git ignores {folder}, by {told}. Remove that line to commit and review the spec."
        )
        os.unlink(os.path.join(world.folder, name))


def test_slugs_never_collide_with_a_folder_a_spec_or_an_archived_one(om, world):
    os.makedirs(os.path.dirname(world.path("brief.md")))
    assert world.new() == "carts-2"
    om.ok("spec", "archive", "carts-2")
    shutil.rmtree(os.path.dirname(world.path("brief.md", "carts-2")))
    assert world.new() == "carts-3"
    other = Repository(f"{world.folder}-other")
    write_files(other.folder)
    other.commit("first", {})
    made = om.json("spec", "new", "../../Carts", "--json", "--", "true", cwd=other.folder)
    assert (made["slug"], made["folder"]) == ("carts", os.path.join(other.folder, ".overmind", "specs", "carts"))


def test_specs_that_are_created_at_once_have_slugs_of_their_own_and_a_repeat_makes_no_second_one(om, world):
    other = Repository(f"{world.folder}-other")
    other.commit("first", {"README.md": "other\n"})

    def new(number):
        folder = (world.folder, other.folder)[number % 2]
        with RawSocket.connect(om.home) as api:
            made = api.ok(
                "spec_new", title="Carts", command="true", cwd=folder, env=om.environment, request=f"key-{number % 6}"
            )
        return made["id"], made["slug"], made["folder"]

    with ThreadPoolExecutor(12) as clients:
        made = set(clients.map(new, range(12)))
    assert len(made) == len({slug for _, slug, _ in made}) == len({folder for *_, folder in made}) == 6
    assert sorted(one["slug"] for one in om.api("specs")) == sorted(slug for _, slug, _ in made)
    found = [os.listdir(os.path.join(top, ".overmind", "specs")) for top in (world.folder, other.folder)]
    assert sorted(name for names in found for name in names) == sorted(slug for _, slug, _ in made)


def test_three_runs_at_once_queue_one_quest(om, world):
    world.new()
    with ThreadPoolExecutor(3) as clients:
        said = sorted(clients.map(lambda _: world.run("carts", "--to", "explore"), range(3)))
    assert said.count("Spec carts: explore queued\n") == 1
    world.until("draft")
    assert world.attempts() == ["explore 1"]
    assert len(om.api("quests")) == 1


def test_a_folder_with_a_brief_that_can_not_be_read_is_not_taken_up_and_stays_as_it_is(om, world):
    for number, put in enumerate([link, os.mkfifo, too_large, latin]):
        path = world.path("brief.md", f"carts-{number}")
        os.makedirs(os.path.dirname(path))
        put(path)
        before = os.lstat(path).st_ino
        finished = om("spec", "new", "--from", os.path.dirname(path), "--", "true", cwd=world.folder)
        assert finished.returncode == 1
        assert "brief.md" in finished.stderr
        assert os.lstat(path).st_ino == before
    assert om.api("specs") == []


def test_a_stuck_spec_names_what_has_failed_and_what_to_do_and_a_new_verify_holds_for_what_is_left(om, world):
    world.write(tasks={"TSK-001": done("TSK-001")})
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)", "--verify", "false", "--retries", "0")
    world.run()
    world.until("stuck")
    shown = om.ok("spec", "show", "carts")
    assert "  carts/TSK-001: failed: verify_failed\n    go on with: overmind quest retry carts/TSK-001\n" in shown
    assert world.run("carts", "--verify", "true") == (
        "Spec carts: --verify changed; it is stuck\n  go on with: overmind quest retry carts/TSK-001\n"
    )
    om.ok("quest", "retry", "carts/TSK-001")
    assert world.until("done", "stuck")["state"] == "done"


def test_a_stuck_spec_goes_on_once_a_person_has_landed_what_failed(om, world):
    world.write(tasks={"TSK-001": done("TSK-001")})
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)", "--verify", "false", "--retries", "0")
    world.run()
    world.until("stuck")
    assert "it is stuck" in world.run("carts", "--verify", "true")
    om.ok("merge", "carts/TSK-001")
    assert world.until("done", "failed")["state"] == "done"
    task = world.quest("carts/TSK-001")
    assert (task["status"], task["landed"]["by_hand"]) == ("failed", True)
