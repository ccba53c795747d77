"""What a process inside a mission may do: each request of the socket, asked from inside of a real one."""

from __future__ import annotations

import pytest

from overmind_core.daemon.routes import TABLE
from overmind_core.domain.operations import REQUESTS
from tests.kit.raw_socket import RawSocket

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]
WORLD = {"command": "true", "cwd": "/"}
OK, FORBIDDEN, NOT_FOUND = "ok", "forbidden", "not_found"
AGENTS = [{"name": "a", "start": {"command": "sleep 600; true", "cwd": "/"}}]
ASKED = [
    ("hello", {}, OK),
    ("status", {}, OK),
    ("ps", {"all": True, "wide": True}, OK),
    ("info", {"id": "other"}, OK),
    ("info", {"id": "self", "env": True}, FORBIDDEN),
    ("info", {"id": "self", "reveal": True}, FORBIDDEN),
    ("info", {"id": "child", "reveal": True}, FORBIDDEN),
    ("logs", {"ids": ["other"]}, OK),
    ("wait", {"ids": ["ended"]}, OK),
    ("top", {}, OK),
    ("figures", {"ids": ["other"]}, OK),
    ("health", {}, OK),
    ("health", {"ids": ["self"], "review": True}, FORBIDDEN),
    ("health", {"ids": ["self"], "review": True}, FORBIDDEN),
    ("events", {}, OK),
    ("events", {"eyes": True}, FORBIDDEN),
    ("used", {"viewer": 1}, FORBIDDEN),
    ("subscribe", {"ids": ["ended"]}, OK),
    ("result", {"id": "ended"}, OK),
    ("cost", {}, OK),
    ("run", WORLD, OK),
    ("run", {**WORLD, "parent": "self"}, OK),
    ("run", {**WORLD, "parent": "child"}, OK),
    ("run", {**WORLD, "parent": "other"}, FORBIDDEN),
    ("run", {**WORLD, "parent": "ended"}, FORBIDDEN),
    ("fork", {"id": "shell"}, "invalid"),  # a plain program, which has no conversation
    ("fork", {"id": "other"}, FORBIDDEN),
    ("send", {"id": "child", "text": "hello"}, OK),
    ("send", {"id": "grandchild", "text": "hello"}, OK),
    ("send", {"id": "other", "text": "hello"}, FORBIDDEN),
    ("await_message", {"message": 1, "timeout": "20s"}, OK),
    ("messages", {"id": "child"}, OK),
    ("messages", {"id": "other"}, OK),
    ("messages", {"id": "other", "cancel": 1}, FORBIDDEN),
    ("keys", {"id": "shell", "keys": ["y"]}, OK),
    ("keys", {"id": "other", "keys": ["y"]}, FORBIDDEN),
    ("interrupt", {"id": "child"}, OK),
    ("interrupt", {"id": "other"}, FORBIDDEN),
    ("hook", {"mission": "child", "token": "guessed", "payload": {}}, FORBIDDEN),
    ("inbox", {}, FORBIDDEN),
    ("answer", {"id": "child", "behaviour": "allow"}, FORBIDDEN),
    ("answer", {"id": "self", "behaviour": "always"}, FORBIDDEN),
    ("seen", {"id": "child"}, FORBIDDEN),
    ("attach", {"id": "child"}, FORBIDDEN),
    ("attach", {"id": "child", "read_only": True}, FORBIDDEN),
    ("detach", {"id": "child"}, FORBIDDEN),
    ("restart", {"id": "child"}, FORBIDDEN),
    ("restart", {"lost": True}, FORBIDDEN),
    ("signal", {"id": "child", "signal": "HUP"}, FORBIDDEN),
    ("freeze", {"id": "child"}, FORBIDDEN),
    ("thaw", {"id": "child"}, FORBIDDEN),
    ("update", {"id": "child", "name": "x"}, FORBIDDEN),
    ("definition", {"id": "child"}, FORBIDDEN),
    ("redefine", {"id": "child", "as_of": "", "definition": {"name": "x", "cwd": "/"}}, FORBIDDEN),
    ("environment", {"id": "child"}, FORBIDDEN),
    ("rm", {"id": "ended"}, FORBIDDEN),
    ("prune", {}, FORBIDDEN),
    ("kill", {"all": True}, FORBIDDEN),
    ("kill", {"id": "other"}, FORBIDDEN),
    ("kill", {"id": "self"}, FORBIDDEN),
    ("stop", {"id": "other"}, FORBIDDEN),
    ("stop", {"id": "self", "cascade": True}, FORBIDDEN),
    ("kill", {"id": "grandchild"}, OK),
    ("stop", {"id": "child", "cascade": True}, OK),
    ("plans", {}, OK),
    ("plan", {"id": "plan"}, OK),
    ("apply", {"blueprint": {"name": "own", "agents": AGENTS}, "cwd": "/"}, OK),
    ("apply", {"blueprint": {"name": "plan", "agents": AGENTS}, "cwd": "/"}, FORBIDDEN),
    ("delete", {"id": "plan"}, FORBIDDEN),
    ("delete", {"id": "own"}, OK),
    ("quest_run", {**WORLD, "command": ["/bin/sleep", "600"], "name": "mine"}, OK),
    ("quests", {}, OK),
    ("quest", {"id": "quest"}, OK),
    ("quest_wait", {"ids": ["done"]}, OK),
    ("quest_cancel", {"id": "quest"}, FORBIDDEN),
    ("quest_cancel", {"id": "mine"}, OK),
    ("quest_add", {"quests": [{"title": "x", "command": "true"}], "cwd": "/"}, FORBIDDEN),
    ("quest_edit", {"id": "quest", "priority": "low"}, FORBIDDEN),
    ("quest_retry", {"id": "quest"}, FORBIDDEN),
    ("quest_why", {"id": "quest"}, OK),
    ("queue", {}, OK),
    ("queue_set", {"paused": True}, FORBIDDEN),
    ("board", {}, OK),
    ("report", {"kind": "idea", "text": "x"}, OK),
    ("specs", {}, OK),
    ("spec", {"id": "nosuch"}, NOT_FOUND),
    ("spec_attempt", {"quest": "nosuch", "remote": "/r", "commit": "0" * 40, "brought": "0" * 40}, "not_running"),
    ("spec_wait", {"id": "nosuch"}, NOT_FOUND),
    ("spec_new", {"title": "x", "cwd": "/", "command": "true"}, FORBIDDEN),
    ("spec_run", {"id": "x"}, FORBIDDEN),
    ("spec_sync", {"id": "x"}, FORBIDDEN),
    ("spec_accept", {"id": "x"}, FORBIDDEN),
    ("spec_archive", {"id": "x"}, FORBIDDEN),
    ("spec_forget", {"id": "x"}, FORBIDDEN),
    ("timeline", {"id": "other"}, OK),
    ("learn", {}, OK),
    ("remember", {"text": "from inside", "key": "own-note"}, OK),
    ("remember", {"text": "pinned", "pin": True, "scope": "global"}, FORBIDDEN),
    ("recall", {"questions": ["redis"]}, OK),
    ("search", {"words": "redis"}, OK),
    ("notes", {}, OK),
    ("notes", {"export": True}, FORBIDDEN),
    ("note", {"note": "persons"}, OK),
    ("note_set", {"note": "own-note", "change": "edit", "text": "its own"}, OK),
    ("note_set", {"note": "own-note", "change": "accept"}, FORBIDDEN),
    ("note_set", {"note": "persons", "change": "edit", "text": "x"}, FORBIDDEN),
    ("outcome", {"notes": ["persons"], "helped": True}, OK),
    ("forget", {"notes": ["persons"]}, FORBIDDEN),
    ("forget", {"notes": ["own-note"]}, OK),
    ("memory", {}, OK),
    ("memory_set", {"on": False}, FORBIDDEN),
    ("memory_reindex", {}, FORBIDDEN),
    ("memory_import", {"files": []}, FORBIDDEN),
    ("memory_used", {"mission": "self"}, OK),
    ("memory_used", {"mission": "other"}, FORBIDDEN),
    ("memory_share", {"cwd": "/"}, FORBIDDEN),
    ("memory_connect", {}, FORBIDDEN),
    ("memory_sync", {}, FORBIDDEN),
    ("rituals", {}, OK),
    ("ritual", {"id": "nightly"}, OK),
    ("ritual_history", {"id": "nightly"}, OK),
    ("ritual_create", {"name": "x", "schedule": "@daily", "quest": WORLD}, FORBIDDEN),
    ("ritual_run", {"id": "nightly"}, FORBIDDEN),
    ("ritual_pause", {"id": "nightly"}, FORBIDDEN),
    ("ritual_resume", {"id": "nightly"}, FORBIDDEN),
    ("ritual_delete", {"id": "nightly"}, FORBIDDEN),
    ("trust", {"cwd": "/"}, FORBIDDEN),
    ("web_link", {}, FORBIDDEN),
    ("web_login", {"link": "x"}, FORBIDDEN),
    ("web_token", {"name": "x"}, FORBIDDEN),
    ("web_check", {"token": "x"}, FORBIDDEN),
    ("web_sessions", {}, FORBIDDEN),
    ("web_revoke", {"all": True}, FORBIDDEN),
    ("swarm_init", {"url": "x"}, FORBIDDEN),
    ("swarm_invite", {"name": "x"}, FORBIDDEN),
    ("swarm_join", {"url": "x"}, FORBIDDEN),
    ("swarm_leave", {}, FORBIDDEN),
    ("swarm_status", {}, FORBIDDEN),
    ("swarm_posts", {}, FORBIDDEN),
    ("swarm_run", {"run": {}}, FORBIDDEN),
    ("swarm_queue", {}, FORBIDDEN),
    ("swarm_events", {}, FORBIDDEN),
    ("swarm_why", {"id": "x"}, FORBIDDEN),
    ("swarm_cancel", {"id": "x"}, FORBIDDEN),
    ("swarm_add", {"quests": [{"title": "x", "command": "true"}], "cwd": "/"}, FORBIDDEN),
    ("swarm_retry", {"id": "x"}, FORBIDDEN),
    ("swarm_inbox", {}, FORBIDDEN),
    ("swarm_answer", {"question": 1, "behaviour": "allow"}, FORBIDDEN),
    ("swarm_apply", {"fleets": [], "file": "/x.toml"}, FORBIDDEN),
    ("swarm_fleets", {}, FORBIDDEN),
    ("swarm_lineages", {}, FORBIDDEN),
    ("swarm_lineage", {"name": "x"}, FORBIDDEN),
    ("swarm_fleet", {"name": "x"}, FORBIDDEN),
    ("swarm_scale", {"name": "x", "want": 1}, FORBIDDEN),
    ("swarm_fleet_delete", {"name": "x"}, FORBIDDEN),
    ("swarm_tail", {"id": "x"}, FORBIDDEN),
    ("swarm_drain", {"name": "x"}, FORBIDDEN),
    ("swarm_remove", {"name": "x"}, FORBIDDEN),
    ("pool_list", {}, FORBIDDEN),
    ("pool_up", {"name": "x"}, FORBIDDEN),
    ("pool_down", {"name": "x", "all": True}, FORBIDDEN),
    ("vault_set", {"name": "X", "value": "x"}, FORBIDDEN),
    ("vault_list", {}, FORBIDDEN),
    ("vault_remove", {"name": "X"}, FORBIDDEN),
    ("vault_grant", {"name": "X", "hive": "x"}, FORBIDDEN),
    ("isolate", {"cwd": "/"}, OK),
    ("ports", {}, OK),
    ("worktrees", {}, OK),
    ("worktrees_prune", {"force": True}, FORBIDDEN),
    ("changes", {"id": "stranger"}, OK),
    ("commit", {"id": "stranger", "message": "x"}, FORBIDDEN),
    ("commit", {"id": "worker", "message": "x"}, OK),
    ("merge", {"id": "stranger", "preview": True}, FORBIDDEN),
    ("merge", {"id": "worker", "preview": True}, OK),
    ("merge", {"id": "stranger", "resolve": True}, FORBIDDEN),
    ("push", {"id": "worker"}, FORBIDDEN),
    ("discard", {"id": "stranger", "force": True}, FORBIDDEN),
    ("discard", {"id": "worker", "force": True}, OK),
    ("shutdown", {}, FORBIDDEN),
    ("shutdown", {"keep": True}, FORBIDDEN),
]


BY_ARGUMENT = {"run", "apply", "info", "events", "health", "messages", "notes", "remember"}
"""What a mission may ask but for one argument, such as `reveal`; the `cancel` of messages is for its descendants."""


def test_each_request_of_the_socket_is_judged():
    assert {command for command, _, _ in ASKED} == set(TABLE)


def test_what_is_for_people_alone_is_told_apart_in_the_table():
    reached = {command for command, _, answer in ASKED if answer != FORBIDDEN}
    refused_always = {command for command, _, _ in ASKED} - reached
    assert refused_always == {row.name for row in REQUESTS if row.forbidden is not None} | {"hook"}


def test_whose_missions_a_mission_may_touch_is_told_in_the_table():
    answers = {command: {answer for other, _, answer in ASKED if other == command} for command in TABLE}
    judged = ({OK, FORBIDDEN}, {"invalid", FORBIDDEN})
    by_mission = {command for command, found in answers.items() if found in judged} - BY_ARGUMENT
    assert by_mission == {row.name for row in REQUESTS if row.within}


def plan(om):
    """A plan of a person's; its id."""
    agents = [{"name": "a", "start": {"command": "sleep 600", "cwd": "/"}}]
    with RawSocket.connect(om.home) as api:
        made = api.ok("apply", blueprint={"name": "plan", "agents": agents}, cwd="/", env=om.environment)
    return made["id"]
