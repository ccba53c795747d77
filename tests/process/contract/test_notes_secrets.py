"""Secrets and notes: a token of each format that is known, wherever somebody puts it, is kept by nobody."""

from __future__ import annotations

import json
import os

import pytest

from tests.kit.noted_shop import Shop
from tests.kit.planted_secrets import tokens
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository
from tests.kit.torture import seeded_random, some

pytestmark = pytest.mark.shared_home

HAS_KEY = set("abcdefghijklmnopqrstuvwxyz0123456789._/-")


@pytest.fixture
def shop(om, tmp_path):
    """A repository of a team."""
    return Shop.make(om, tmp_path)


def found_in(folder, secrets):
    """The files of a folder that hold one of these, with what they hold."""
    found = []
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path):
                try:
                    with open(path, "rb") as file:
                        held = file.read()
                except FileNotFoundError:  # it went since: the home is in use
                    continue
                found += [(path, secret) for secret in secrets if secret.encode() in held]
    return found


def test_a_token_in_a_text_a_tag_a_file_a_key_a_question_or_an_import_is_in_no_byte_of_the_home(shop):
    planted = list(tokens(seeded_random()))
    cwd, answers, keys = {"cwd": shop.folder}, [], 0
    with RawSocket.connect(shop.om.home, timeout=60) as api:
        for number, one in some(enumerate(planted)):
            secret = one.whole
            noted = api.ok("remember", text=f"{number} uses {secret}.", tags=[one.tag], files=[f"api/{secret}"], **cwd)
            assert noted["redacted"] >= 2, one
            answers.append(api.ok("recall", questions=[f"why {secret}?"], tag=secret, file=f"api/{secret}", **cwd))
            how = ("literal", "episodes")[number % 2]
            answers.append(api.ok("search", words=secret, tag=secret, **{how: True}, **cwd))
            note = noted["id"]
            api.ok("note_set", note=note, change="edit", text=f"number {number} never used {secret}", **cwd)
            api.ok("outcome", notes=[note], helped=True, why=secret, **cwd)
            if set(secret) <= HAS_KEY and len(secret) <= 63:
                keys += 1
                for name in ("key", "replaces"):
                    answers.append(api.request("remember", text=f"key of {number}", **{name: secret}, **cwd))
                    assert answers[-1]["error"] == {"key": "invalid", "replaces": "not_found"}[name], one
            answers.append(api.ok("note", note=note, history=True, **cwd))
        texts = [f'+++\ntags = ["{one.tag}"]\n+++\n\nfile: {one.whole}\n' for one in planted]
        files = [{"file": f"{number}.md", "text": f"{text}{number}"} for number, text in enumerate(texts)]
        answers.append(api.ok("memory_import", files=files, **cwd))
        assert answers[-1]["new"] == len(planted)
        answers.append(api.ok("notes", **cwd))
        assert "[redacted: " in str(answers[-1]["notes"][0]["tags"])
        answers.append(api.ok("memory", **cwd))
    assert keys
    answers += shop.om.events()
    told = json.dumps(answers)
    assert [one for one in planted if one.rest in told] == []
    assert found_in(shop.om.home, [one.rest for one in planted]) == []


def test_a_token_in_a_remote_an_environment_or_the_name_of_a_mission_is_in_no_note(shop, tmp_path):
    planted = list(tokens(seeded_random()))
    short = [
        one for one in planted if len(one.whole) < 60 and one.whole.isascii() and one.whole.replace("_", "").isalnum()
    ]
    forms = ("https://{}@h.example/a/b", "https://u:{}@h.example/a/b.git", "https://h.example/{}/b", "u@h.example:a/{}")
    used = []
    for number, (one, form) in enumerate(zip(short, forms, strict=False)):
        code = Repository(str(tmp_path / f"code{number}"))
        code.git("remote", "add", "origin", form.format(one.whole))
        assert shop.write(f"note {number}", cwd=code.folder)
        used.append(one)
    name, variable = short[4], short[5]
    words = f"overmind remember 'it is {variable.whole}'; overmind search {variable.whole}"
    mission = shop.om.finished(
        words, "--cwd", shop.folder, "--name", name.whole, "--env", f"API_TOKEN={variable.whole}"
    )
    (note,) = shop.json("notes")
    assert note["text"].startswith("it is [redacted: ")
    assert note["author"]["mission"] == mission["id"]
    assert note["author"]["name"].startswith("[redacted: ")
    secrets = [one.rest for one in used]
    assert found_in(shop.om.home, secrets) == []
    kept = [one for one in found_in(shop.om.home, [name.rest, variable.rest]) if "memory.db" in one[0]]
    assert kept == []  # state.db has what a mission is called, and its environment
