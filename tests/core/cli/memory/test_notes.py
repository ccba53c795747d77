"""Commands about notes: what they ask of the daemon, and what people and programs read of its answers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import get_args

import pytest

from overmind_core.cli.command import COMMANDS
from overmind_core.cli.memory import asking
from overmind_core.domain.memory.notes import NoteKind, NoteState, ScopeKind
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.memory import answer_types, copies, validate

AUTHOR = {"person": "ada", "mission": None, "name": None, "agent": None}
NOTE = {
    "id": "N-7f3k9c2m4q", "state": "live", "kind": "gotcha", "scope": "repo", "repository": "github.com/team/shop",
    "key": None, "text": "The tests need redis.\nStart it with: make redis", "tags": ["tests"], "files": ["tests/**"],
    "pinned": False, "author": AUTHOR, "version": 3, "version_id": "3f9a1c0b77de0000", "versions": 3,
    "created_at": format_time(0), "edited_at": format_time(0), "helped": 4, "hurt": 0, "used": 12, "used_at": None,
    "stale": False, "rests": False, "conflicts": [], "from": "command", "proposed_for": None,
}  # fmt: skip
HOSTILE = "a\x1b[2Jb\u202ec\rd\u2066"
REMEMBERED = {
    "id": NOTE["id"], "version": 1, "state": "live", "kind": "gotcha", "scope": "repo", "new": True, "similar": [],
    "redacted": 0,
}  # fmt: skip
FOUND = {"note": NOTE, "score": 0.02, "why": ["words", "spelling"], "corrected": {"redsi": "redis"}}


@pytest.fixture
def asked(overmind):
    """Run a command line against a daemon whose answers, by request, are these."""

    def run(answers, *words, **how):
        return overmind({name: [{"ok": answer}] for name, answer in answers.items()}, *words, **how)

    return run


def test_the_words_of_the_command_line_are_those_of_the_notes():
    """The command line starts without the rules, so it has these words again."""
    assert (tuple(NoteKind), tuple(ScopeKind)) == (asking.KINDS, asking.SCOPES)
    assert asking.EXPORTED == copies.EXPORTED
    verbs = {name.removeprefix("note ") for name in COMMANDS if name.startswith("note ")}
    assert verbs <= validate.VERBS
    for verb in verbs:
        with pytest.raises(OvermindError):
            validate.key(verb)
    types = (answer_types.NoteKindWord, answer_types.NoteStateWord, answer_types.ScopeWord)
    assert [get_args(one) for one in types] == [tuple(NoteKind), tuple(NoteState), tuple(ScopeKind)]


def days():
    """How old a note is that was written at the beginning of 1970."""
    import time

    return f"{int(time.time() // 86_400)}d"


@pytest.mark.parametrize(
    ("words", "answer", "out", "err"),
    [
        ((), {}, "Remembered N-7f3k9c2m4q (gotcha, repo)\n", ""),
        (("--key", "redis"), {"version": 3}, "Remembered N-7f3k9c2m4q (gotcha, repo), version 3\n", ""),
        (("--replaces", "N-7f3k"), {"version": 2}, "Remembered N-7f3k9c2m4q (gotcha, repo), version 2\n", ""),
        (("--scope", "global"), {"state": "proposed", "scope": "global", "kind": "fact"},
         "Proposed N-7f3k9c2m4q (fact, global)\n", ""),
        ((), {"new": False}, "Already known: N-7f3k9c2m4q\n", ""),
        ((), {"similar": [{"id": "N-2b9d000000", "text": "tests need\nredis" + " x" * 100}], "redacted": 2},
         "Remembered N-7f3k9c2m4q (gotcha, repo)\nsimilar: N-2b9d000000  tests need redis" + " x" * 40 + " ...\n",
         "redacted: 2 secrets\n"),
        ((), {"redacted": 1}, "Remembered N-7f3k9c2m4q (gotcha, repo)\n", "redacted: 1 secret\n"),
    ],
)  # fmt: skip
def test_remember_says_what_became_of_the_note(asked, words, answer, out, err):
    ran = asked({"remember": REMEMBERED | answer}, "remember", "the", "tests", *words)
    assert (ran.status, ran.out, ran.err) == (0, out, err)
    (sent,) = (args for name, args in ran.requests if name == "remember")
    assert (sent["text"], sent["cwd"]) == ("the tests", os.getcwd())
    assert sent["request"]
    assert json.loads(asked({"remember": REMEMBERED | answer}, "remember", "x", "--json").out) == REMEMBERED | answer


def test_a_text_is_read_from_standard_input(asked):
    ran = asked({"remember": REMEMBERED}, "remember", "-", stdin="two\nlines ä\n".encode())
    assert ran.requests[0][1]["text"] == "two\nlines ä"


def test_recall_prints_each_note_with_why_it_was_found(asked):
    resting = FOUND | {"note": NOTE | {"rests": True, "text": HOSTILE}, "why": ["key"], "corrected": {}}
    answer = {"notes": [FOUND, resting], "with_meaning": False, "why_not": "no model is there"}
    ran = asked({"recall": answer}, "recall", "why", "redsi?", "-q", "other wording", "--limit", "2")
    first, second = ran.out.split("\n\n")
    assert first == (
        f"N-7f3k9c2m4q  gotcha  repo  {days()}  ada  +4 -0  words, spelling (redsi: redis)\n"
        "  The tests need redis.\n  Start it with: make redis"
    )
    assert second.startswith(f"N-7f3k9c2m4q  gotcha  repo  {days()}  ada  +4 -0  key  rests\n")
    assert not set(second) & set(HOSTILE) - set("abcd[2J")
    assert ran.err == "words only: no model is there\n"
    (sent,) = (args for name, args in ran.requests if name == "recall")
    assert (sent["questions"], sent["limit"]) == (["why redsi?", "other wording"], 2)
    (row, _) = json.loads(asked({"recall": answer}, "recall", "x", "--json").out)
    assert row == NOTE | {name: FOUND[name] for name in ("score", "why", "corrected")}


def test_search_prints_a_line_each(asked):
    episode = {"mission": "a1b2c3d4", "name": "api", "run": 2, "at": format_time(0), "matched": "make\x1b test: exit 1",
               "files": [], "commands": []}  # fmt: skip
    notes = [FOUND, FOUND | {"note": NOTE | {"state": "proposed", "stale": True, "pinned": True}}]
    answer = {"notes": notes, "episodes": [episode]}
    ran = asked({"search": answer}, "search", "redis", "--literal")
    text = "The tests need redis. Start it with: make redis"
    head = f"N-7f3k9c2m4q  gotcha  repo  {days()}"
    assert ran.out == f"{head}  {text}\n{head}  (proposed, stale) {text}\n"
    assert ran.requests[0][1]["literal"] is True
    assert asked({"search": answer}, "search", "make", "--episodes").out == (
        f"api (a1b2c3d4)  run 2  {days()}  make test: exit 1\n"
    )


def test_what_is_empty_prints_nothing(asked):
    nothing = {"notes": [], "episodes": [], "with_meaning": False, "why_not": None, "proposed": 0}
    for words in (("recall", "x"), ("search", "x"), ("search", "x", "--episodes"), ("notes",)):
        ran = asked(dict.fromkeys(("recall", "search", "notes"), nothing), *words)
        assert (ran.status, ran.out, ran.err) == (0, "", "")
        assert asked(dict.fromkeys(("recall", "search", "notes"), nothing), *words, "--json").out == "[]\n"


def test_a_mission_that_was_given_nothing_prints_nothing(asked):
    used: dict[str, object] = {"mission": "a1b2c3d4", "run": None, "notes": [], "text": ""}
    assert asked({"memory_used": used}, "memory", "used", "api").out == ""


def test_notes_are_a_table(asked):
    rows = [NOTE, NOTE | {"author": {**AUTHOR, "person": None, "name": HOSTILE, "mission": "a1b2c3d4"}, "rests": True}]
    ran = asked({"notes": {"notes": rows, "proposed": 0}}, "notes", "--resting", "--kind", "gotcha")
    titles, first, second = ran.out.splitlines()
    assert titles.split() == ["ID", "KIND", "SCOPE", "AGE", "AUTHOR", "VOTES", "USED", "TEXT"]
    assert " ".join(first.split()) == (
        f"N-7f3k9c2m4q gotcha repo {days()} ada +4 -0 12 The tests need redis. Start it with: make redis"
    )
    assert "(rests) The tests" in second
    assert not set(second) & {"\x1b", "\u202e", "\r", "\u2066"}
    sent = ran.requests[0][1]
    assert (sent["resting"], sent["proposed"], sent["kind"]) == (True, False, "gotcha")
    many = asked({"notes": {"notes": [NOTE] * sent["limit"], "proposed": 0}}, "notes")
    assert many.err == "These are the newest 1,000. Others are found with: overmind search WORDS\n"


def test_note_prints_everything_of_one(asked):
    version = {"version": "3f9a1c0b77de0000", "number": 3, "replaces": [], "at": format_time(0), "by": AUTHOR,
               "standing": "live", "text": "The tests", "kind": "gotcha", "scope": "repo", "repository": None,
               "key": None, "tags": [], "files": [], "pinned": False}  # fmt: skip
    mission = {"person": None, "mission": "a1b2c3d4", "name": "api", "agent": "claude"}
    found = NOTE | {"history": [version], "conflicts": ["77de"], "author": mission}
    ran = asked({"note": found}, "note", "redis", "--history")
    assert ran.out == (
        "Note:     N-7f3k9c2m4q\n"
        "State:    live, conflict\n"
        "Kind:     gotcha\n"
        "Scope:    repo (github.com/team/shop)\n"
        "Key:      -\n"
        "Tags:     tests\n"
        "Files:    tests/**\n"
        "Author:   api (mission a1b2c3d4, claude)\n"
        "From:     command\n"
        f"Created:  {days()} ago\n"
        f"Edited:   {days()} ago (version 3, 3 versions)\n"
        "Votes:    helped 4, hurt 0\n"
        "Used:     12 runs\n"
        "Conflict: 77de\n"
        "\n"
        "  The tests need redis.\n"
        "  Start it with: make redis\n"
        "\n"
        f"version 3  3f9a1c0b77de0000  {days()}  ada  live\n"
        "  The tests\n"
    )
    of_an_older_home = NOTE | {"author": {"person": None, "mission": None, "name": "carts", "agent": None}}
    assert "\nAuthor:   carts\n" in asked({"note": of_an_older_home}, "note", "redis").out


def test_a_note_is_edited_by_words_or_in_an_editor(asked, tmp_path, monkeypatch):
    changed = {"note_set": {"note": NOTE | {"version": 4}, "changed": True}, "note": NOTE}
    ran = asked(changed, "note", "edit", "redis", "--text", "other")
    assert ran.out == "Edited N-7f3k9c2m4q (version 4)\n"
    assert {name: ran.requests[0][1].get(name) for name in ("note", "change", "text", "seen")} == {
        "note": "redis", "change": "edit", "text": "other", "seen": None}  # fmt: skip
    same = {"note_set": {"note": NOTE, "changed": False}}
    assert asked(same, "note", "edit", "redis", "--text", "-", stdin=b"x").out == "unchanged: N-7f3k9c2m4q\n"
    assert not os.path.exists(tmp_path / "home" / "edits")


def test_an_editor_gets_the_text_and_the_version_that_was_seen_is_replaced(asked, tmp_path, monkeypatch):
    seen = tmp_path / "seen"
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\ncp "$1" {seen}\nstat -c %a "$1" >> {seen}\necho "more" >> "$1"\n')
    editor.chmod(0o700)
    answers = {"note_set": {"note": NOTE | {"version": 4}, "changed": True}, "note": NOTE}
    ran = asked(answers, "note", "edit", "N-7f3k", environ={"EDITOR": str(editor)})
    assert ran.out == "Edited N-7f3k9c2m4q (version 4)\n"
    assert seen.read_text() == f"{NOTE['text']}\n600\n"
    sent = ran.requests[-1][1]
    assert (sent["note"], sent["seen"], sent["text"]) == (NOTE["id"], NOTE["version_id"], f"{NOTE['text']}\nmore")
    unchanged = asked(answers, "note", "edit", "N-7f3k", environ={"EDITOR": "true"})
    assert (unchanged.out, [name for name, _ in unchanged.requests]) == ("unchanged: N-7f3k9c2m4q\n", ["note"])
    assert asked(answers, "note", "edit", "N-7f3k").err.startswith("Error: invalid: note edit needs a terminal")


WRITES = [
    # what the editor does, what is left of it
    ("exit 1", None),
    ('rm "$1"', None),
    ("exit 0", None),
    (f"printf 'too long, ghp_{'a1B2' * 9}' > \"$1\"", b"too long, [redacted: github token]"),
    ("printf '\\377' > \"$1\"", b"\xff"),
    ('echo mine > "$1"; exit 1', b"mine\n"),
]


@pytest.mark.parametrize(("script", "kept"), WRITES)
def test_what_was_written_in_an_editor_and_not_stored_is_kept_without_its_secrets(overmind, tmp_path, script, kept):
    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\n{script}\n")
    editor.chmod(0o700)
    refusal = {"error": "too_large", "message": "A note has at most 4,000 characters, not 5,000."}
    ran = overmind({"note": [{"ok": NOTE}], "note_set": [refusal]}, "note", "edit", "N-7f3k",
                   environ={"EDITOR": str(editor)})  # fmt: skip
    left = [path for folder, _, names in os.walk(tmp_path) for path in (os.path.join(folder, name) for name in names)
            if path.endswith(".md")]  # fmt: skip
    assert [Path(path).read_bytes() for path in left] == ([] if kept is None else [kept])
    assert [line for line in ran.err.splitlines() if "kept" in line] == [
        f"Your text is kept in {path}" for path in left
    ]
    assert ran.status == int(script != "exit 0")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("accept", "a", "b"), "Accepted N-7f3k9c2m4q\n" * 2),
        (("pin", "a"), "Pinned N-7f3k9c2m4q\n"),
        (("unpin", "a"), "Unpinned N-7f3k9c2m4q\n"),
        (("restore", "a"), "Restored N-7f3k9c2m4q\n"),
        (("promote", "a", "--to", "colony"), "Promoted N-7f3k9c2m4q to colony\n"),
    ],
)
def test_what_changes_a_note_says_so(asked, words, line):
    ran = asked({"note_set": {"note": NOTE | {"scope": "colony"}, "changed": True}}, "note", *words)
    assert ran.out == line
    assert {(args["note"], args["change"]) for _, args in ran.requests} <= {("a", words[0]), ("b", words[0])}


STOOD_SO = [
    (("restore", "a"), {"state": "live"}, "is live already"),
    (("accept", "a"), {"state": "live"}, "is live already"),
    (("accept", "a"), {"state": "forgotten"}, "is forgotten"),
    (("restore", "a"), {"state": "proposed"}, "is proposed"),
    (("pin", "a"), {"state": "live", "pinned": True}, "is pinned already"),
    (("unpin", "a"), {"state": "live", "pinned": False}, "is not pinned"),
    (("promote", "a", "--to", "colony"), {"scope": "colony"}, "is in colony already"),
]


@pytest.mark.parametrize(("words", "stood", "said"), STOOD_SO)
def test_of_a_note_that_stood_so_already_nothing_is_said_to_be_done(asked, words, stood, said):
    ran = asked({"note_set": {"note": NOTE | stood, "changed": False}}, "note", *words)
    assert (ran.status, ran.out) == (0, f"{NOTE['id']} {said}\n")


def test_what_is_forgotten_already_is_not_forgotten_once_more(asked):
    answer = {"notes": [{"id": NOTE["id"], "still_in": []}]}
    ran = asked({"note": NOTE | {"state": "forgotten"}, "forget": answer}, "forget", "N-7f3k")
    assert (ran.status, ran.out) == (0, f"{NOTE['id']} is forgotten already\n")


def test_forgetting_names_each_place_that_is_left(asked):
    answer = {"notes": [{"id": NOTE["id"], "still_in": ["live mission a1b2c3d4", "/x\x1b"]}]}
    assert asked({"note": NOTE, "forget": answer}, "forget", "redis").out == (
        "Forgot N-7f3k9c2m4q\nstill in: live mission a1b2c3d4\nstill in: /x\\x1b\n"
    )
    ran = asked({"note": NOTE, "forget": answer}, "forget", "redis", "--purge", "-y")
    assert ran.out.startswith("Purged N-7f3k9c2m4q\nstill in: ")
    assert ran.requests[0] == ("note", {"note": "redis", "cwd": os.getcwd()})
    assert ran.requests[1] == ("forget", {"notes": [NOTE["id"]], "purge": True, "cwd": os.getcwd()})


def test_a_vote_prints_the_votes(asked):
    answer = {"notes": [{"id": NOTE["id"], "helped": 5, "hurt": 0}]}
    ran = asked({"outcome": answer}, "helped", "redis", "-m", "at once")
    assert ran.out == "N-7f3k9c2m4q helped 5, hurt 0\n"
    assert (ran.requests[0][1]["helped"], ran.requests[0][1]["why"]) == (True, "at once")
    assert asked({"outcome": answer}, "hurt", "redis").requests[0][1]["helped"] is False


STATE = {
    "on": True, "reason": None, "inject": "auto", "model": None, "model_error": None, "live": 1204, "proposed": 7,
    "resting": 2, "conflicts": 1, "repository": "github.com/team/shop", "here": 312, "bytes": 14_000_000,
    "cortex": None,
}  # fmt: skip
CORTEX = {
    "url": "https://cortex.example.org", "colony": "shop", "role": "write", "synced_at": None, "to_send": 0,
    "error": None, "shares": ["github.com/team/shop"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("state", "out"),
    [
        ({}, ("Memory on, auto, words only\n"
             "1204 notes (312 of this repository), 14 MB\n"
             "7 proposed, waiting for you. See: overmind notes --proposed --all\n"
             "2 suspended, because they hurt more than they helped. See: overmind notes --resting --all\n"
             "1 with two versions. See: overmind notes --conflicts --all\n")),
        ({"model": "small", "conflicts": 2, "repository": None, "cortex": CORTEX},
         ("Memory on, auto, words and meaning (small)\n1204 notes, 14 MB\n"
             "7 proposed, waiting for you. See: overmind notes --proposed --all\n"
             "2 suspended, because they hurt more than they helped. See: overmind notes --resting --all\n"
             "2 with two versions. See: overmind notes --conflicts --all\n"
         "cortex.example.org (shop), never synced, 0 to send\n")),
        ({"model": "/m", "model_error": "/m: has no tokenizer.json", "repository": None, "conflicts": 0},
         ("Memory on, auto, words only: /m: has no tokenizer.json\n"
          "1204 notes, 14 MB\n"
             "7 proposed, waiting for you. See: overmind notes --proposed --all\n"
             "2 suspended, because they hurt more than they helped. See: overmind notes --resting --all\n")),
        ({"on": False, "reason": "memory.db is damaged"}, "Memory off: memory.db is damaged\n"),
        ({"on": False}, ("Memory off: notes stay, none are given, and Overmind proposes none\n"
                        "1204 notes (312 of this repository), 14 MB\n"
             "7 proposed, waiting for you. See: overmind notes --proposed --all\n"
             "2 suspended, because they hurt more than they helped. See: overmind notes --resting --all\n"
             "1 with two versions. See: overmind notes --conflicts --all\n")),
    ],
)  # fmt: skip
def test_memory_tells_how_it_stands(asked, state, out):
    ran = asked({"memory": STATE | state}, "memory")
    assert (ran.out, ran.err) == (out, "")


def test_memory_is_switched(asked):
    answers = {"memory_set": {"on": False}, "memory": STATE | {"on": False}}
    assert asked(answers, "memory", "off").out == "Memory off: notes stay, none are given, and Overmind proposes none\n"
    assert asked(answers, "memory", "on").requests[0] == ("memory_set", {"on": True})


def test_memory_is_connected_shared_and_synced(asked, tmp_path):
    text = "<notes 3f>\n[N-7f3k9c2m4q]\n  | x\n</notes 3f>\n"
    used = {"mission": "a1b2c3d4", "run": 1, "tokens": 9, "left_out": 0, "purged": 0, "notes": [], "text": text}
    ran = asked({"memory_used": used}, "memory", "used", "api", "--run", "2")
    assert (ran.out, ran.requests[0][1]) == (text, {"mission": "api", "run": 2})
    token = tmp_path / "token"
    token.write_text("secret\n")
    answers = {"memory_connect": {"cortex": CORTEX | {"shares": []}}, "memory": STATE}
    ran = asked(answers, "memory", "connect", CORTEX["url"], "--token-file", str(token))
    assert ran.out == "Connected to cortex.example.org (colony shop, write). Shares: colony\n"
    assert ran.requests[0][1] == {"url": CORTEX["url"], "token": "secret", "ca": None}
    assert asked(answers, "memory", "disconnect").out == "Disconnected; 1204 notes stay\n"
    shared = {"repository": "github.com/team/shop", "on": True, "notes": 312}
    assert asked({"memory_share": shared}, "memory", "share").out == "Shares github.com/team/shop: 312 notes\n"
    synced = {"sent": 3, "received": 12, "conflicts": 0}
    assert asked({"memory_sync": synced}, "memory", "sync").out == "Synced: 3 sent, 12 received, 0 conflicts\n"
    refused = asked(answers, "memory", "connect", "https://x", "--token-file", str(tmp_path / "nosuch"))
    assert refused.err.startswith("Error: invalid: ")
    assert asked(answers, "memory", "connect", "https://x").err.startswith("Error: invalid: Missing --token-file")
    assert refused.requests == []


def test_a_command_line_that_makes_no_sense_asks_nothing(asked):
    for words, sentence in (
        (("recall",), "Missing question"),
        (("note", "promote", "a"), "Missing --to"),
        (("remember", "x", "--kind", "essay"), "essay"),
    ):
        ran = asked({}, *words)
        assert ran.status != 0
        assert sentence in ran.err
        assert ran.requests == []


def test_secrets_of_the_shell_are_replaced_before_they_are_sent(asked):
    environ = {"MY_API_TOKEN": "hunter2-correct-horse", "HOME": "/home/ada"}
    told = {"remember": REMEMBERED, "recall": {"notes": [], "with_meaning": False, "why_not": None},
            "search": {"notes": [], "episodes": []}, "outcome": {"notes": []},
            "note_set": {"note": NOTE, "changed": True}}  # fmt: skip
    secret = environ["MY_API_TOKEN"]
    for words in (
        ("remember", f"use {secret}", "--tag", secret, "--file", secret), ("recall", secret, "-q", secret),
        ("search", secret, "--tag", secret), ("helped", "N-1", "-m", secret),
        ("note", "edit", "N-1", "--text", secret),
    ):  # fmt: skip
        ran = asked(told, *words, environ=environ)
        assert ran.status == 0
        assert secret not in str(ran.requests), words
        assert "[redacted" in str(ran.requests), words
    assert asked(told, "remember", f"{secret} {secret}", environ=environ).requests[0][1]["redacted"] == 2
