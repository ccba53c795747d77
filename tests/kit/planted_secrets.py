"""Tokens as their services make them, with random letters: one generator for each format that is known."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

MIXED = string.ascii_letters + string.digits
SMALL = string.ascii_lowercase + string.digits
DASHED = MIXED + "-_"
HEX = "0123456789abcdef"
CAPITALS = string.ascii_uppercase + string.digits
BASE64 = MIXED + "+/"

PUBLISHED = [
    # (what stands in its place, beginning, letters, length, end), as the services describe them
    *(("github token", f"gh{letter}_", MIXED, 36, "") for letter in "pousr"),
    ("github token", "github_pat_", MIXED, 82, ""),
    *(
        ("gitlab token", beginning, DASHED, 20, "")
        for beginning in (
            "glpat-",
            "gldt-",
            "glrt-",
            "glrtr-",
            "glcbt-",
            "glptt-",
            "glft-",
            "glimt-",
            "glagent-",
            "glsoat-",
            "gloas-",
            "glffct-",
            "GR1348941",
        )
    ),
    ("bitbucket token", "ATBB", MIXED, 32, ""),
    ("atlassian token", "ATATT3", DASHED, 180, "=4D2F1A6B"),
    *(("aws key", beginning, CAPITALS, 16, "") for beginning in ("AKIA", "ASIA", "ABIA", "ACCA")),
    ("aws key", "ABSK", BASE64, 128, "="),
    ("google key", "AIza", DASHED, 35, ""),
    ("google token", "ya29.", DASHED, 60, ""),
    ("google token", "1//0", DASHED, 60, ""),
    ("google secret", "GOCSPX-", DASHED, 28, ""),
    ("slack token", "xoxb-123456789012-1234567890123-", MIXED, 24, ""),
    *(("slack token", f"xox{letter}-", f"{MIXED}-", 50, "") for letter in "bparsoedc"),
    ("slack token", "xoxe.xoxp-1-", MIXED, 50, ""),
    ("slack token", "xapp-1-A0123456789-1234567890123-", HEX, 64, ""),
    *(("stripe key", f"{letter}k_{mode}_", MIXED, 24, "") for letter in "sr" for mode in ("live", "test", "org")),
    ("npm token", "npm_", MIXED, 36, ""),
    ("pypi token", "pypi-AgEIcHlwaS5vcmc", DASHED, 150, ""),
    ("huggingface token", "hf_", MIXED, 34, ""),
    ("huggingface token", "api_org_", MIXED, 34, ""),
    *(("openai key", f"sk-{use}-", DASHED, 140, "") for use in ("proj", "svcacct", "admin", "None")),
    ("openrouter key", "sk-or-v1-", HEX, 64, ""),
    ("anthropic key", "sk-ant-api03-", DASHED, 93, "AA"),
    ("groq key", "gsk_", MIXED, 52, ""),
    ("replicate token", "r8_", MIXED, 37, ""),
    ("xai key", "xai-", MIXED, 80, ""),
    ("perplexity key", "pplx-", MIXED, 48, ""),
    ("twilio key", "SK", HEX, 32, ""),
    ("mailgun key", "key-", HEX, 32, ""),
    ("mailchimp key", "", HEX, 32, "-us12"),
    ("webhook secret", "whsec_", BASE64, 32, ""),
    *(("digitalocean token", f"do{letter}_v1_", HEX, 64, "") for letter in "oprt"),
    ("telegram token", "1234567890:AA", DASHED, 33, ""),
    ("azure key", "AccountName=shop;AccountKey=", BASE64, 86, "=="),
    ("azure signature", "sv=2024-11-04&sr=c&sig=", BASE64, 43, "="),
    ("databricks token", "dapi", HEX, 32, ""),
    ("vault token", "hvs.", DASHED, 90, ""),
    ("vault token", "hvb.", DASHED, 90, ""),
    ("terraform token", "4aB9cD2eF7gH1k.atlasv1.", MIXED, 67, ""),
    ("fly token", "fm2_", BASE64, 100, ""),
    ("fly token", "fo1_", DASHED, 43, ""),
    ("heroku token", "HRKU-", DASHED, 60, ""),
    ("supabase token", "sbp_", HEX, 40, ""),
    ("supabase token", "sb_secret_", DASHED, 31, ""),
    *(("planetscale token", f"pscale_{use}_", MIXED, 32, "") for use in ("tkn", "pw", "oauth")),
    ("doppler token", "dp.pt.", MIXED, 43, ""),
    ("doppler token", "dp.st.", MIXED, 43, ""),
    ("tailscale key", "tskey-auth-", MIXED, 40, ""),
    *(("shopify token", f"shp{letters}_", HEX, 32, "") for letters in ("at", "ca", "pa", "ss", "tka")),
    ("square token", "sq0atp-", DASHED, 22, ""),
    ("square token", "sq0csp-", DASHED, 43, ""),
    ("rubygems key", "rubygems_", HEX, 48, ""),
    ("docker token", "dckr_pat_", DASHED, 27, ""),
    ("docker token", "dckr_oat_", DASHED, 27, ""),
    ("linear key", "lin_api_", MIXED, 40, ""),
    ("notion token", "ntn_", MIXED, 46, ""),
    ("grafana token", "glsa_", MIXED, 41, ""),
    ("grafana token", "glc_eyJ", BASE64, 80, "="),
    ("new relic key", "NRAK-", CAPITALS, 27, ""),
    ("sentry token", "sntrys_", BASE64, 100, ""),
    ("sentry token", "sntryu_", HEX, 64, ""),
    ("postman key", "PMAK-", HEX, 59, ""),
    ("figma token", "figd_", DASHED, 40, ""),
    ("1password token", "ops_eyJ", BASE64, 250, "="),
    ("age key", "AGE-SECRET-KEY-1", CAPITALS, 58, ""),
]
OTHERS: dict[str, Callable[[Random], str]] = {
    "openai key": lambda chance: f"sk-{word(chance, MIXED, 19)}7{word(chance, MIXED, 28)}",
    "sendgrid key": lambda chance: f"SG.{word(chance, DASHED, 22)}.{word(chance, DASHED, 43)}",
    "discord token": lambda chance: f"M{word(chance, MIXED, 25)}.{word(chance, DASHED, 6)}.{word(chance, DASHED, 38)}",
    "discord token of a person": lambda chance: f"mfa.{word(chance, DASHED, 84)}",
    "slack webhook": lambda chance: (
        f"https://hooks.slack.com/services/T{word(chance, CAPITALS, 9)}/B{word(chance, CAPITALS, 9)}"
        f"/{word(chance, MIXED, 24)}"
    ),
    "discord webhook": lambda chance: f"https://discord.com/api/webhooks/123456789/{word(chance, DASHED, 68)}",
    "jwt": lambda chance: ".".join(
        [*(encoded({part: word(chance, MIXED, 20)}) for part in ("alg", "sub")), word(chance, DASHED, 43)]
    ),
    "authorization": lambda chance: f"Authorization: Bearer {word(chance, MIXED, 20)}7",
    "password": lambda chance: f"postgres://shop:{word(chance, MIXED, 14)}@db.example.org/shop",
    "secret": lambda chance: f"aws_secret_access_key={word(chance, BASE64, 39)}7",
    "azure secret": lambda chance: f"{word(chance, MIXED, 3)}8Q~{word(chance, DASHED, 34)}",
    "airtable token": lambda chance: f"pat{word(chance, MIXED, 14)}.{word(chance, HEX, 64)}",
}
"""What is no beginning with random letters behind it."""


class Token(NamedTuple):
    """A token that nobody else has."""

    kind: str
    whole: str
    rest: str
    """The random end of it: what must not be found anywhere, however it is written around."""

    @property
    def tag(self) -> str:
        """It, as a tag: a webhook is longer than one, also without its secret."""
        return self.kind if self.kind == "discord webhook" else self.whole


def word(chance: Random, letters: str, length: int) -> str:
    """Random letters."""
    return "".join(chance.choices(letters, k=length))


def encoded(part: object) -> str:
    """A part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def tokens(chance: Random) -> Iterator[Token]:
    """One of each format."""
    for kind, beginning, letters, length, end in PUBLISHED:
        body = word(chance, letters, length)
        yield Token(kind, beginning + body + end, body[-12:])
    for kind, make in OTHERS.items():
        whole = make(chance)
        yield Token(kind, whole, whole.partition("@")[0][-12:])
