"""`overmind delete`: which plan a word or a file means."""

from __future__ import annotations

import pytest

PLANS = {
    "aaaa0001": ("release", "running", "shop.toml"),
    "aaaa0002": ("release", "stopped", "shop.toml"),
    "aaaa0003": ("beta", "running", "shop.toml"),
    "aaaa0004": ("docs", "stopped", "docs.toml"),
    "aaaa0005": ("docs", "running", "elsewhere.toml"),
}
"""Id → name, status and file."""


@pytest.fixture
def delete(overmind, tmp_path):
    """Delete something in a folder with two blueprints; return what ran, and the id of the plan that was deleted."""
    for name in ("shop", "docs", "none"):
        (tmp_path / f"{name}.toml").write_text(f'[blueprint]\nname = "{name}"\n[agents.a]\ncommand = "true"\n')
    rows = [
        {"id": id_, "name": name, "status": status, "file": str(tmp_path / file), "counts": {}}
        for id_, (name, status, file) in PLANS.items()
    ]

    def plan(args):
        found = [row for row in rows if args["id"] in {row["id"], row["name"]}]
        return [{"ok": found[0]}] if found else [{"error": "not_found", "message": "There is none."}]

    def run(*words):
        paths = [str(tmp_path / word) if word.endswith(".toml") else word for word in words]
        answers = {"plan": plan, "plans": [{"ok": rows}], "delete": plan}
        ran = overmind(answers, "delete", "-y", *paths)
        return ran, next((args["id"] for name, args in ran.requests if name == "delete"), None)

    return run


MEANT = [
    (["beta"], "aaaa0003"),
    (["aaaa0002"], "aaaa0002"),
    (["docs.toml"], "aaaa0004"),
    (["shop.toml", "--name", "release"], "aaaa0001"),
    (["shop.toml", "--name", "beta"], "aaaa0003"),
]


@pytest.mark.parametrize(("words", "id_"), MEANT)
def test_a_word_is_a_plan_or_the_file_of_one_a_live_one_first(delete, words, id_):
    assert delete(*words)[1] == id_


REFUSED = [
    (["shop.toml"], "ambiguous", "has several live plans: release, beta."),
    (["none.toml"], "not_found", "No plan was started from"),
    (["docs.toml", "--name", "beta"], "not_found", "The plan 'beta' is from"),
    (["nothing"], "not_found", "No plan named 'nothing'."),
]


@pytest.mark.parametrize(("words", "code", "said"), REFUSED)
def test_what_is_no_plan_or_several_is_refused_by_name(delete, words, code, said):
    ran, deleted = delete(*words)
    assert deleted is None
    assert f"Error: {code}: " in ran.err
    assert said in ran.err
