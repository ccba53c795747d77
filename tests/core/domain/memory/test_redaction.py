"""Secrets leave a text, whatever stands around them; hashes, ids and code stay."""

from __future__ import annotations

import base64
import json
import random
import time
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overmind_core.domain.memory.redaction import redact, secret_values
from overmind_core.domain.memory.secret_formats import FORMATS
from tests.kit.planted_secrets import BASE64, OTHERS, PUBLISHED, word
from tests.kit.torture import examples, portion

BROKEN = {"azure key", "mailchimp key"}
"""Kinds that are not found wherever a line's end is within them."""


@st.composite
def planted(draw):
    """A token of a known format: its kind, itself, the random end of it, and whether lines may break it."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    if draw(st.integers(0, 3)) == 0:
        kind = draw(st.sampled_from(sorted(OTHERS)))
        token = OTHERS[kind](chance)
        return kind, token, token.partition("@")[0][-12:], False
    kind, beginning, letters, length, end = draw(st.sampled_from(PUBLISHED))
    body = word(chance, letters, length)
    return kind, beginning + body + end, body[-12:], kind not in BROKEN


AROUND = st.sampled_from([
    ("", ""), ("it is ", " and more"), ('"', '"'), ("'", "',"), ("`", "`."), ("(", ")"), ("<", ">"), ("\n", "\r\n"),
    ("export X=", ";"), ("X: ", "\nY: 1"), ("https://git.example.org/a?x=", "&y=2"), ("https://", "@git.example.org/x"),
    ("| ", " |"), ("[redacted: ", "]"), ("[redacted: jwt]", "[redacted: secret]"), ("=\t", "\t"), ("größe ", " größe"),
    ("  | ", "\n</notes 3f9a1c0b77de>"), ("git clone ", "."), ("\x1b[31m", "\x1b[0m"), ("\u200b", "\u200b"),
])  # fmt: skip


@settings(max_examples=examples(2000))
@example(("mailgun key", f"key-{'a1' * 16}", "a1" * 6, True), ("", ""), 3, 0, "\n")
@example(("secret", f"aws_secret_access_key=/{'aB3+' * 9}aB3", "3+aB3+aB3", False), ("", ""), 0, 0, "\n")
@given(planted(), AROUND, st.integers(0, 3), st.integers(0, 200), st.sampled_from(["\n", "\r\n", "\n    "]))
def test_no_token_of_a_known_format_survives(secret, around, form, place, end_of_line):
    kind, token, rest, breaks = secret
    text = around[0] + token + around[1]
    if form == 1:
        text = json.dumps({"note": json.dumps([text]), "line": text})
    elif form == 2:
        text = f"https://example.org/?q={quote(token, safe='/:;@=+')}&r=1"
    elif form == 3 and breaks and len(token) > 12:  # behind the beginning that tells it
        split = len(token) - 1 - place % 10
        text = around[0] + token[:split] + end_of_line + token[split:] + around[1]
        rest = token[:split]
    cleaned, count = redact(text)
    assert rest not in cleaned.replace("\u200b", ""), (kind, text, cleaned)
    assert count
    assert redact(cleaned) == (cleaned, 0)


@settings(max_examples=examples(1000))
@given(st.lists(planted() | st.text(max_size=20) | st.sampled_from(["password=", "[redacted: ", "]", "://a:", "@"])))
def test_what_was_redacted_stays_so_and_joined_texts_reveal_nothing(parts):
    texts = [part if isinstance(part, str) else part[1] for part in parts]
    together = redact(" ".join(texts))
    assert redact(together.text) == (together.text, 0)
    apart = " ".join(redact(text).text for text in texts)
    again = redact(apart).text
    for part in parts:
        if not isinstance(part, str):
            assert part[2] not in together.text
            assert part[2] not in again


STAYS = [
    "3617a17e8c1d2f0b6a5e4d3c2b1a09f8e7d6c5b4",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "123e4567-e89b-12d3-a456-426614174000", "N-7f3k9c2m4q", "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "sha512-" + base64.b64encode(bytes(range(64))).decode(),
    "h1:" + base64.b64encode(bytes(range(100, 132))).decode(),
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8Zq3b1X0cQv9nYwLr5sT2uK7mP4hG6dF1aS3eR9tY2 ada@host",
    "/usr/lib/python3.11/site-packages/Overmind2Core/Domain3Memory/testFile4.py",
    "src/components/UserProfileV2/getUserNameFromHTTP2Response.test.tsx",
    "test_python3_11_on_Debian12_and_macOS14_works",
    "the password must be 8 characters", "password: required", "token: str", "PASSWORD=$DB_PASSWORD",
    "password = get_password()", "token=self.token", "https://user:${PW}@host/x", "api_key=os.environ['API_KEY']",
    "max_tokens: 1500000", "bearer authentication", "docker run -u 1000:1000 image", "https://ada@git.example.org/x.git",
    "sk-learn-something-very-long-2023-x", "hf_hub_download_of_a_model", "npm_config_registry_of_all_projects",
    "pypi-server-with-plugins-2", "key-value pairs", "[redacted: github token]", "password=[redacted: password]",
    "Basic configuration", "token bucket 2 of 3", "secrets/tokens.py:12", "git@github.com:team/shop.git",
]  # fmt: skip


@pytest.mark.parametrize("text", STAYS)
def test_hashes_ids_paths_and_code_stay(text):
    for around in ("{}", "see {}.", '"{}",', "x\n{}\ny"):
        assert redact(around.format(text)) == (around.format(text), 0)


FOUND = [
    ("DB_PASSWORD=correcthorse", "correcthorse"), ("password: hunter2", "hunter2"), ("pwd='a b c'", "a b c"),
    ('{"password": "letmein!"}', "letmein!"), ("--db-password swordfish x", "swordfish"),
    ("curl -u ada:hunter2 https://x.example", "hunter2"), ("api_key: abcd1234efgh5678", "abcd1234efgh5678"),
    ("client_secret=zzzz-1111-yyyy", "zzzz-1111-yyyy"), ("https://u:p@ss@host/x", "p@ss"),
    ("redis://:letmein@h", "letmein"),
    ("//registry.example/:_authToken=abcdef123456", "abcdef123456"), ("Basic YWRhOmxvdmVsYWNl", "YWRhOmxvdmVsYWNl"),
    ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYzR2KtH9vQs", "wJalrXUtnFEMI"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "secret"), FOUND)
def test_what_is_called_a_secret_is_one(text, secret):
    cleaned, count = redact(text)
    assert secret not in cleaned
    assert count == 1


def key(begin: str = "-----BEGIN RSA PRIVATE KEY-----", end: str = "-----END RSA PRIVATE KEY-----") -> list[str]:
    chance = random.Random(4)
    return [begin, *(word(chance, BASE64, 64) for _ in range(8)), word(chance, BASE64, 22) + "==", end]


@pytest.mark.parametrize("lines", [key(), key()[:-1], key()[:5], key()[5:], key()[-2:],
                                   key("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----")])  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n    ", "\\n", "\n+"])
def test_a_private_key_goes_whole_or_cut(lines, end):
    cleaned = redact(f"before\n{end.join(lines)}\nand after it").text
    assert not any(line in cleaned for line in lines)
    assert cleaned.startswith("before")
    assert cleaned.endswith("and after it")
    assert redact(cleaned) == (cleaned, 0)


def test_values_of_variables_that_are_called_secrets_go_as_they_are_and_as_json_and_urls_write_them():
    variables = {
        "MY_TOKEN": 'plain "words" here', "db_password": "redacted", "PWD": "/home/ada/work", "OLDPWD": "/home/ada/x",
        "API_KEY": "short", "EDITOR": "vim -u NONE", "GITHUB_TOKEN_FILE": "/run/secrets/github", "TOKEN2": "variable",
    }  # fmt: skip
    values = secret_values(variables)
    assert sorted(values) == ['plain "words" here', "redacted", "variable"]
    text = f"{values[0]} / {json.dumps(values[0])} / {quote(values[0])} / redacted / [redacted: jwt]"
    cleaned, count = redact(text, values)
    assert cleaned == (
        '[redacted: variable] / "[redacted: variable]" / [redacted: variable] / [redacted: variable] / [redacted: jwt]'
    )
    assert count == 4
    assert redact(cleaned, values) == (cleaned, 0)


HOSTILE = [
    "://", "://a:b", 'password="', "token token ", "-eyJ", "eyJaaaaaaaaa.", "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nProc-Type: ", "A -----END RSA PRIVATE KEY-----", "bearer ", "-u a:", "[redacted: ",
    "Aa1" * 8 + "-", "\u200bghp_", "SG." + "a" * 16 + ".", *sorted({one.hints[0] for one in FORMATS}),
]  # fmt: skip


@pytest.mark.parametrize("seed", HOSTILE if portion(4) == 4 else HOSTILE[::6])
def test_the_time_grows_with_the_length_alone(seed):
    def seconds(length: int) -> float:
        text = (seed * (length // len(seed) + 1))[:length]
        best = []
        for _ in range(3):
            before = time.process_time()
            redact(text, ["x" * 8])
            best.append(time.process_time() - before)
        return min(best)

    assert seconds(1 << 18) < 12 * seconds(1 << 16) + 0.05  # four times the text; squared it would be sixteen times
