"""One repository has one name, however its URL is written; no secret of a URL is in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.memory.repository import chosen_name, name_of_remote
from tests.kit.cases import tabled
from tests.kit.planted_secrets import tokens
from tests.kit.torture import examples, seeded_random

SHOP = "github.com/team/shop"
NAMES = [
    ("git@github.com:team/shop.git", SHOP),
    ("git@github.com:Team/Shop.git", SHOP),
    ("github.com:team/shop", SHOP),
    ("git@github.com:/team/shop/", SHOP),
    ("ssh://git@github.com/team/shop.git", SHOP),
    ("ssh://git@GitHub.com:22/team/shop.git", SHOP),
    ("git+ssh://git@github.com/team/shop", SHOP),
    ("[git@github.com:22]:team/shop.git", SHOP),
    ("https://github.com/team/shop", SHOP),
    ("https://github.com:443/team/shop.git/", SHOP),
    ("HTTPS://ada@github.com//team/./shop.git", SHOP),
    ("https://ada:hunter2@github.com/team/shop.git?x=1#y", SHOP),
    ("git://github.com/team/shop.git\n", SHOP),
    ("https://gitlab.com/Group/Sub/Shop.git", "gitlab.com/group/sub/shop"),
    ("https://git.example.org/Team/Shop.git", "git.example.org/Team/Shop"),
    ("https://git.example.org:8443/shop", "git.example.org:8443/shop"),
    ("ssh://git@git.example.org:2222/srv/shop.git", "git.example.org:2222/srv/shop"),
    ("[git@git.example.org:2222]:srv/shop.git", "git.example.org:2222/srv/shop"),
    ("ada@host:~/shop", "host/~/shop"),
    ("[::1]:shop.git", "[::1]/shop"),
    ("ssh://git@[2001:DB8::1]:22/shop.git", "[2001:db8::1]/shop"),
    ("https://host/.git", None),
    ("https://host", None),
    ("https://host/a/../b", None),
    ("/srv/git/shop.git", None),
    ("../shop", None),
    ("./a:b", None),
    ("shop", None),
    ("~/shop", None),
    ("file:///srv/git/shop.git", None),
    ("file://host/srv/shop.git", None),
    ("ext::ssh -i key host %S shop", None),
    ("codecommit::eu-west-1://shop", None),
    ("foreign://host/shop", None),
    ("https://ada:pass/word@github.com/team/shop", None),
    ("https://host/team/\x1b[31mshop", None),
    ("https:///shop", None),
    ("", None),
]


@tabled(("url", "name"), NAMES)
def test_a_url_gives_the_name_of_its_repository(url, name):
    assert name_of_remote(url) == name


CHOICES = [
    ({"origin": "git@host:a", "upstream": "git@host:b"}, "host/a"),
    ({"upstream": "git@host:b"}, "host/b"),
    ({"one": "git@host:a", "two": "git@host:b"}, None),
    ({"origin": "/srv/a", "upstream": "git@host:b"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("remotes", "name"), CHOICES)
def test_origin_counts_else_the_only_remote(remotes, name):
    assert chosen_name(remotes) == name


SECRET = st.text("abcXYZ019!$%&*+,=~-_.@:", min_size=8, max_size=30).map("s3cReT".__add__)


@settings(max_examples=examples(1000))
@given(
    SECRET,
    st.sampled_from(["https://{}@h.example/a/b", "https://u:{}@h.example/a/b", "ssh://u:{}@h.example:22/a/b.git",
                     "{}@h.example:a/b", "https://h.example/a/b.git?token={}", "https://h.example/a/b#{}"]),
)  # fmt: skip
def test_no_secret_of_a_url_is_in_the_name(secret, form):
    name = name_of_remote(form.format(secret))
    assert name in {None, "h.example/a/b"} or "s3cReT" not in name
    if not {"@", ":"} & {*secret}:
        assert name == "h.example/a/b"


REMOTES = ["https://{}@h.example/a/b", "https://u:{}@h.example/a/b.git", "https://h.example/{}/b", "u@h.example:a/{}",
           "https://{}/a/b", "https://h.example/a/b?token={}", "{}@h.example:a/b", "ssh://{}/b"]  # fmt: skip


@tabled("form", REMOTES)
def test_no_token_of_any_format_is_in_the_name(form):
    for one in tokens(seeded_random()):
        if "://" in one.whole or " " in one.whole:
            continue
        name = name_of_remote(form.format(one.whole)) or ""
        assert one.rest.lower() not in name.lower(), one


def test_a_token_whose_colon_reads_as_that_behind_a_host_is_not_in_the_name():
    assert name_of_remote("1234567890:AA6YUMYkxlTZTlhMKBPZRNNpFAjWtf_RlrU@h.example:a/b") is None


@given(st.text())
def test_no_text_raises_and_a_name_is_the_name_of_itself(text):
    name = name_of_remote(text)
    assert name is None or name_of_remote(f"https://{name}") in {name, None} or name.endswith(".git")
