"""Conversations are found in the files that agents' programs write, whatever else lies there."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from overmind_core.cli.agents.adopt import _find_conversation, _newest
from overmind_core.cli.agents.kept_conversations import HEAD, TAIL, kept_conversations, last_said, leaders
from overmind_core.errors import OvermindError

CLAUDE = ".claude/projects/-work/one.jsonl"
FIRST = "the first words"


def user(text, **more):
    return {"type": "user", "sessionId": "s-claude", "cwd": "/work", "message": {"content": text}, **more}


def spoken(text):
    return {"type": "assistant", "sessionId": "s-claude", "message": {"content": [{"type": "text", "text": text}]}}


FILES = {
    "claude": (CLAUDE, [{"type": "mode"}, user("<command-name>/x", cwd="/work"), user("meta", isMeta=True),
                        user("of a helper", isSidechain=True), user([{"type": "text", "text": FIRST}]), spoken("yes")]),
    "codex": (".codex/sessions/2026/11/30/rollout-1.jsonl", [
        {"type": "session_meta", "payload": {"id": "s-codex", "cwd": "/work"}},
        {"type": "response_item", "payload": {"role": "developer", "content": [{"text": "instructions"}]}},
        {"type": "response_item", "payload": {"role": "user", "content": [{"text": "<environment_context>"}]}},
        {"type": "response_item", "payload": {"role": "user", "content": [{"text": FIRST}]}},
        {"type": "response_item", "payload": {"role": "assistant", "content": [{"text": "yes"}]}},
    ]),
    "qwen": (".qwen/projects/-work/chats/one.jsonl", [
        {"type": "user", "sessionId": "s-qwen", "cwd": "/work", "message": {"parts": [{"text": FIRST}]}},
        {"type": "assistant", "message": {"parts": [{"text": "I think", "thought": True}, {"text": "yes"}]}},
    ]),
    "copilot": (".copilot/session-state/one/events.jsonl", [
        {"type": "session.start", "data": {"sessionId": "s-copilot", "context": {"cwd": "/work"}}},
        {"type": "user.message", "data": {"content": FIRST}},
        {"type": "assistant.message", "data": {"content": "yes"}},
    ]),
    "gemini": (".gemini/tmp/work/chats/session-2026-12-01T10-00-s-gemini.jsonl", [
        {"sessionId": "s-gemini", "projectHash": "0"},
        {"$set": {"messages": [{"type": "user", "content": [{"text": "<session_context>"}]}]}},
        {"id": "1", "type": "user", "content": [{"text": FIRST}]},
        {"id": "2", "type": "gemini", "content": "yes"},
    ]),
}  # fmt: skip


def write(home, name, lines):
    path = os.path.join(home, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    return path


def found(home, provider=None):
    return kept_conversations({"HOME": str(home)}, provider)


@pytest.mark.parametrize("provider", FILES)
def test_a_file_tells_id_folder_first_words_and_what_was_said(tmp_path, provider):
    write(tmp_path, *FILES[provider])
    if provider == "gemini":
        write(tmp_path, ".gemini/tmp/work/.project_root", ["/work"])
    (kept,) = found(tmp_path)
    assert (kept.provider, kept.session, kept.cwd, kept.title) == (provider, f"s-{provider}", "/work", FIRST)
    assert last_said(kept, 9) == [(True, FIRST), (False, "yes")]
    assert last_said(kept, 1) == [(False, "yes")]
    assert found(tmp_path, provider) == [kept]
    assert found(tmp_path, next(one for one in FILES if one != provider)) == []


def test_a_database_tells_them_newest_first_and_what_they_cost(tmp_path):
    path = tmp_path / ".local/share/opencode/opencode.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE session (id, parent_id, directory, title, cost, time_updated, time_archived)")
        database.execute("CREATE TABLE message (id, data)")
        database.execute("CREATE TABLE part (id, message_id, session_id, time_created, data)")
        sessions = [("old", None, 0.5, 1000), ("new", None, "much", 2000), ("helper", "new", 1, 3000)]
        database.executemany("INSERT INTO session VALUES (?, ?, '/work', 'title', ?, ?, NULL)", sessions)
        database.executemany("INSERT INTO message VALUES (?, ?)", [("m", '{"role":"user"}'), ("n", '{"role":"x"}')])
        texts = [("p", "m", 1, FIRST), ("q", "n", 2, "yes")]
        database.executemany("INSERT INTO part VALUES (?, ?, 'new', ?, ?)",
                             [(*one[:3], json.dumps({"type": "text", "text": one[3]})) for one in texts])  # fmt: skip
    rows = found(tmp_path)
    assert [(one.session, one.cost, one.changed) for one in rows] == [("new", None, 2.0), ("old", 0.5, 1.0)]
    assert last_said(rows[0], 9) == [(True, FIRST), (False, "yes")]
    path.write_bytes(b"no database")
    assert found(tmp_path) == []


def test_what_is_no_conversation_is_left_out(tmp_path):
    write(tmp_path, ".claude/projects/-work/empty.jsonl", [])
    write(tmp_path, ".claude/projects/-work/nothing-said.jsonl", [user("", cwd="/work")])
    write(tmp_path, ".claude/projects/-work/broken.jsonl", ["[1]", "7", "{", "\x00"])
    os.mkfifo(tmp_path / ".claude/projects/-work/pipe.jsonl")
    os.symlink(write(tmp_path, "elsewhere", [user(FIRST)]), tmp_path / ".claude/projects/-work/link.jsonl")
    os.mkdir(tmp_path / ".claude/projects/-work/folder.jsonl")
    assert found(tmp_path) == []
    assert kept_conversations({}) == []


def test_of_a_long_file_beginning_and_end_are_read(tmp_path):
    filler = spoken("x" * 4096)
    lines = [user(FIRST), *[filler] * ((HEAD + TAIL) // 4096), user("the last words")]
    write(tmp_path, CLAUDE, lines)
    (kept,) = found(tmp_path)
    assert kept.title == FIRST
    assert last_said(kept, 1) == [(True, "the last words")]
    os.unlink(kept.path)
    assert last_said(kept, 1) == ()


def test_a_first_message_longer_than_the_beginning_is_read(tmp_path):
    write(tmp_path, CLAUDE, [user([{"type": "image", "data": "x" * 2 * HEAD}, {"type": "text", "text": FIRST}])])
    assert [one.title for one in found(tmp_path)] == [FIRST]


def test_notes_that_we_have_put_before_a_message_are_no_part_of_it(tmp_path):
    place, (start, said, answer) = FILES["copilot"]
    notes = {"type": said["type"], "data": {"content": f"<notes>\nold\n</notes>\n{FIRST}"}}
    write(tmp_path, place, [start, {**said, "data": {"content": "<notes>\nold\n</notes>\n"}}, notes, answer])
    (kept,) = found(tmp_path)
    assert (kept.title, last_said(kept, 9)) == (FIRST, [(True, FIRST), (False, "yes")])


def test_who_writes_into_a_file_leads_its_conversation_and_who_reads_it_does_not(tmp_path):
    real = write(tmp_path, "dotfiles/sessions/2026/11/30/rollout-1.jsonl", FILES["codex"][1])
    os.symlink(tmp_path / "dotfiles", tmp_path / ".codex")
    (kept,) = found(tmp_path)
    with open(real, "rb"):
        assert leaders({}, [kept]) == {}
    with open(real, "ab"):
        assert leaders({}, [kept])["s-codex"].pid == os.getpid()


def test_who_holds_the_file_beside_a_conversation_leads_it(tmp_path):
    place, lines = FILES["copilot"]
    path = write(tmp_path, place, lines)
    (kept,) = found(tmp_path)
    hold = os.path.join(os.path.dirname(path), f"inuse.{os.getpid()}.hold")
    with open(hold, "w"), open(os.path.join(os.path.dirname(path), "other"), "w"):
        assert leaders({}, [kept])[kept.session].pid == os.getpid()
    with open(os.path.join(os.path.dirname(path), "other"), "w"), open(hold):
        assert leaders({}, [kept]) == {}


@pytest.mark.parametrize(
    ("record", "leads"),
    [
        ({}, True),
        ({"hostname": "elsewhere"}, False),
        ({"session_id": "another"}, False),
        ({"pid": 2**40}, False),
        ({"pid": True}, False),
        ({"pid": "1"}, False),
    ],
)
def test_whom_a_record_beside_a_conversation_names_leads_it(tmp_path, record, leads):
    place, lines = FILES["qwen"]
    path = write(tmp_path, place, lines)
    (kept,) = found(tmp_path)
    told = {"pid": os.getpid(), "session_id": kept.session, "hostname": platform.node(), **record}
    beside = Path(path).with_suffix(".runtime.json")
    beside.write_text(json.dumps(told))
    assert (kept.session in leaders({}, [kept])) is leads
    os.utime(beside, (1, 1))
    assert leaders({}, [kept]) == {}, "its number was another process's then"
    beside.write_bytes(b"\xff{")
    assert leaders({}, [kept]) == {}
    beside.unlink()
    os.mkfifo(beside)
    assert leaders({}, [kept]) == {}


def test_an_id_or_its_beginning_names_one(tmp_path):
    for provider in ("claude", "codex"):
        write(tmp_path, *FILES[provider])
    rows = found(tmp_path)
    assert _find_conversation(rows, "s-claude").provider == "claude"
    assert _find_conversation(rows, "s-co").provider == "codex"
    for word, code in (("s-c", "not_found"), ("../x", "not_found"), ("", "not_found")):
        with pytest.raises(OvermindError) as refused:
            _find_conversation(rows, word)
        assert refused.value.code == code
    write(tmp_path, ".claude/projects/-work/two.jsonl", [user(FIRST, sessionId="s-claude-2")])
    write(tmp_path, ".claude/projects/-copy/one.jsonl", FILES["claude"][1])
    assert _find_conversation(found(tmp_path), "s-claude").session == "s-claude"
    with pytest.raises(OvermindError, match="Several conversations begin with 's-cla'"):
        _find_conversation(found(tmp_path), "s-cla")


def test_the_log_gets_the_newest_lines_that_fit():
    lines = [f"[before] {number} {'x' * 1000}" for number in range(100)]
    kept = _newest(lines)
    assert kept == lines[-len(kept) :]
    assert 50 < len(kept) < 64
