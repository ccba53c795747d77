"""Which plan a file means: two folders have plans of one name, and neither touches the other's."""

from __future__ import annotations

import json
import os

import pytest

from tests.kit.blueprints import ended, written
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

BUILD = '[agents.build]\ncommand = "sleep 600"\n'
OTHER = '[agents.other]\ncommand = "sleep 600"\n'


@pytest.fixture
def folders(tmp_path):
    """Two checkouts: in each a `ci.toml`."""
    made = [tmp_path / "pa", tmp_path / "pb"]
    for folder, text in zip(made, (BUILD, OTHER), strict=True):
        folder.mkdir()
        written(folder, text, "ci")
    return [str(folder) for folder in made]


def live(om):
    return {row["name"] for row in om.ps() if row["ended_at"] is None}


def test_a_plan_of_another_folder_with_the_same_name_is_never_touched(om, folders):
    pa, pb = folders
    first = om.json("apply", "ci.toml", "--json", cwd=pa)["id"]
    eventually(lambda: "ci/build" in live(om))
    before = om.info("ci/build")
    for words in (("apply", "ci.toml"), ("apply", "ci.toml", "--dry-run"), ("diff", "ci.toml"),
                  ("apply", "ci.toml", "--rerun", "failed")):  # fmt: skip
        refused = om(*words, cwd=pb)
        assert refused.returncode == 1, words
        told = f"Error: name_taken: The name 'ci' is taken by plan {first} from {os.path.realpath(pa)}/ci.toml."
        assert told in refused.stderr
        assert "overmind apply --name NAME" in refused.stderr
    told = om.refused("delete", "ci.toml", "-y", cwd=pb, code="not_found")
    assert f"The plan 'ci' is from {os.path.realpath(pa)}/ci.toml; delete it by its name." in told
    after = om.info("ci/build")
    assert {name: after[name] for name in ("id", "status", "runs")} == {
        name: before[name] for name in ("id", "status", "runs")
    }
    assert om.ok("apply", "ci.toml", cwd=pa).startswith("unchanged")


def test_with_a_name_of_its_own_it_runs_beside_the_other_and_is_told_apart(om, folders):
    pa, pb = folders
    first = om.json("apply", "ci.toml", "--json", cwd=pa)["id"]
    second = om.json("apply", "ci.toml", "--name", "ci-b", "--json", cwd=pb)["id"]
    eventually(lambda: {"ci/build", "ci-b/other"} <= live(om))
    assert om.ok("apply", "ci.toml", "--name", "ci-b", cwd=pb).startswith(f"unchanged: plan {second}")
    assert om.ok("diff", "ci.toml", "--name", "ci-b", cwd=pb) == ""
    assert om.ok("delete", "ci.toml", "-y", cwd=pb) == f"Deleted plan {second} (ci-b)\n"
    assert live(om) == {"ci", "ci/build"}
    assert om.ok("delete", "ci", "-y") == f"Deleted plan {first} (ci)\n"


def test_of_one_file_there_may_be_several_and_then_a_name_says_which(om, folders):
    pa, _ = folders
    for name in ("one", "two"):
        om.ok("apply", "ci.toml", "--name", name, cwd=pa)
    assert "several live plans: two, one" in om.refused("delete", "ci.toml", "-y", cwd=pa, code="ambiguous")
    om.ok("delete", "ci.toml", "-y", "--name", "one", cwd=pa)
    om.ok("delete", "ci.toml", "-y", cwd=pa)
    assert live(om) == set()


def test_a_linked_folder_is_the_folder_and_a_linked_file_is_a_file_of_its_own_folder(om, folders, tmp_path):
    pa, pb = folders
    plan = om.json("apply", "ci.toml", "--json", cwd=pa)["id"]
    (tmp_path / "link").symlink_to(pa)
    assert om.ok("apply", str(tmp_path / "link" / "ci.toml")) == f"unchanged: plan {plan} (ci)\n"
    shared = os.path.join(pb, "shared.toml")
    os.symlink(os.path.join(pa, "ci.toml"), shared)
    om.refused("apply", "shared.toml", "--name", "ci", cwd=pb, code="name_taken")


def test_plans_of_standard_input_are_told_apart_by_their_folders(om, folders):
    pa, pb = folders
    named = f'[blueprint]\nname = "piped"\n{BUILD}'
    plan = om.json("apply", "-", "--json", stdin=named, cwd=pa)["id"]
    assert om.ok("apply", "-", stdin=named, cwd=pa) == f"unchanged: plan {plan} (piped)\n"
    refused = om("apply", "-", stdin=named, cwd=pb)
    assert f"is taken by plan {plan} from standard input in {os.path.realpath(pa)}." in refused.stderr


def test_what_failed_is_run_again_of_the_plan_of_this_file_alone(om, folders):
    pa, _ = folders
    for folder in folders:
        with open(os.path.join(folder, "ci.toml"), "w", encoding="utf-8") as file:
            file.write('[agents.a]\ncommand = "test -e mended"\n')
    plans = []
    for folder in folders:
        plans.append(om.json("apply", "ci.toml", "--json", cwd=folder)["id"])
        ended(om, plans[-1])
    open(os.path.join(pa, "mended"), "w").close()
    assert om.json("apply", "ci.toml", "--rerun", "failed", "--json", cwd=pa)["id"] == plans[0]
    assert ended(om, plans[0])["status"] == "stopped"
    assert om.api("plan", id=plans[1])["status"] == "crashed"


def test_a_plan_of_standard_input_without_a_name_is_called_as_its_folder(om, tmp_path):
    folder = tmp_path / "web shop"
    folder.mkdir()
    assert (
        json.loads(om.ok("apply", "-", "--json", stdin='[agents.a]\ncommand = "true"\n', cwd=str(folder)))["name"]
        == "web-shop"
    )
