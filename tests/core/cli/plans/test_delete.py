"""`overmind delete`: which plan a word or a file means."""

from __future__ import annotations

import os

import pytest

from overmind_core.cli.plans import blueprint

PLANS = {
    "aaaa0001": ("release", "running", "shop.toml"),
    "aaaa0002": ("release", "stopped", "shop.toml"),
    "aaaa0003": ("beta", "running", "shop.toml"),
    "aaaa0004": ("docs", "stopped", "docs.toml"),
    "aaaa0005": ("docs", "running", "elsewhere.toml"),
    "aaaa0006": ("piped", "running", "-"),
    "aaaa0007": ("far", "running", "-"),
    "aaaa0008": ("piped", "stopped", "-"),
    "aaaa0009": ("over", "stopped", "-"),
    "aaaa0010": ("over", "stopped", "-"),
    "aaaa0011": ("over", "stopped", "-"),
}
"""Id → name, status and file; the newest first."""
HERE = frozenset({"aaaa0006", "aaaa0008", "aaaa0010", "aaaa0011"})
"""Ids of those that were started in this folder."""
REMOVED = "aaaa0009"
"""Id of one that is removed while plans are looked at."""


@pytest.fixture
def delete(overmind, tmp_path, monkeypatch):
    """Delete something in a folder with two blueprints; return what ran, and the id of the plan that was deleted."""
    for name in ("shop", "docs", "none"):
        (tmp_path / f"{name}.toml").write_text(f'[blueprint]\nname = "{name}"\n[agents.a]\ncommand = "true"\n')
    piped, read = (tmp_path / "none.toml").read_bytes().replace(b"none", b"piped"), blueprint.content
    monkeypatch.setattr(blueprint, "content", lambda path: piped if path == blueprint.STDIN else read(path))
    rows = [
        {"id": id_, "name": name, "status": status, "file": file if file == "-" else str(tmp_path / file), "counts": {}}
        for id_, (name, status, file) in PLANS.items()
    ]

    def plan(args):
        found = [row for row in rows if args["id"] in {row["id"], row["name"]}]
        return [{"ok": found[0]}] if found else [{"error": "not_found", "message": "There is none."}]

    def info(args):
        if args["id"] == REMOVED:
            return [{"error": "not_found", "message": "There is none."}]
        return [{"ok": {"cwd": os.getcwd() if args["id"] in HERE else "/elsewhere"}}]

    def run(*words):
        paths = [str(tmp_path / word) if word.endswith(".toml") else word for word in words]
        answers = {"plan": plan, "plans": [{"ok": rows}], "delete": plan, "info": info}
        ran = overmind(answers, "delete", "-y", *paths)
        return ran, next((args["id"] for name, args in ran.requests if name == "delete"), None)

    return run


MEANT = [
    (["beta"], "aaaa0003"),
    (["aaaa0002"], "aaaa0002"),
    (["docs.toml"], "aaaa0004"),
    (["shop.toml", "--name", "release"], "aaaa0001"),
    (["shop.toml", "--name", "beta"], "aaaa0003"),
    (["-"], "aaaa0006"),
    (["-", "--name", "over"], "aaaa0010"),
]


@pytest.mark.parametrize(("words", "id_"), MEANT)
def test_a_word_is_a_plan_or_the_file_of_one_a_live_one_first(delete, words, id_):
    assert delete(*words)[1] == id_


@pytest.mark.parametrize(
    ("words", "asked"), [(["-"], ["aaaa0006"]), (["-", "--name", "over"], ["aaaa0009", "aaaa0010"])]
)
def test_of_ended_plans_of_standard_input_the_folder_is_asked_until_one_is_found(delete, words, asked):
    ran, _ = delete(*words)
    assert [args["id"] for name, args in ran.requests if name == "info"] == asked


REFUSED = [
    (["shop.toml"], "ambiguous", "has several live plans: release, beta."),
    (["none.toml"], "not_found", "No plan was started from"),
    (["docs.toml", "--name", "beta"], "not_found", "The plan 'beta' is from"),
    (["-", "--name", "beta"], "not_found", "The plan 'beta' is from"),
    (["-", "--name", "far"], "not_found", "The plan 'far' is from standard input in another folder;"),
    (["nothing"], "not_found", "No plan named 'nothing'."),
]


@pytest.mark.parametrize(("words", "code", "said"), REFUSED)
def test_what_is_no_plan_or_several_is_refused_by_name(delete, words, code, said):
    ran, deleted = delete(*words)
    assert deleted is None
    assert f"Error: {code}: " in ran.err
    assert said in ran.err
