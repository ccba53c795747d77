"""The formats of secrets that services publish: a table. Pure.

A row that tells the length of its token also finds one that a terminal or an editor has broken into lines.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Format(NamedTuple):
    """One format."""

    kind: str
    """Its name, which replaces the secret in a text."""
    hints: tuple[str, ...]
    """A text without any of these holds none; they are looked for before `pattern`."""
    pattern: re.Pattern[str]
    """The secret is its group `secret`; all of it, if there is no such group."""


_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9a-fA-F]{4})|(?<=\[[0-9]{2}m)|(?<=\[m))"
"""A word begins here, also behind an escape of JSON, of a URL or of a terminal."""
_BREAK = r"(?:\\?[ \t]{0,4}\r?\n[ \t]{0,16}|(?:\\r)?\\n[ \t]{0,16})?"
"""The end of a line within a token; in JSON it is written out."""
_ALL, _HEX = "A-Za-z0-9", "a-f0-9"


def _token(
    kind: str,
    hint: str,
    letters: str = _ALL,
    length: int = 32,
    shortest: int = 16,
    *,
    start: bool = False,
    end: str = "",
) -> Format:
    """A token that begins with `hint`.

    Args:
        kind: What it is.
        hint: Its beginning, which nothing else has.
        letters: Characters that may follow, as a set of a pattern.
        length: How many usually follow.
        shortest: How many must follow: it may have been cut.
        start: Whether its beginning may also stand within a word, and does not count there.
        end: More of the pattern.
    """
    whole = rf"(?:{_BREAK}[{letters}]){{{length}}}"
    before = _START if start else ""
    return Format(
        kind, (hint,), re.compile(rf"{before}{re.escape(hint)}(?:{whole}|[{letters}]{{{shortest}}})[{letters}]*{end}")
    )


def _pattern(kind: str, hints: str, pattern: str) -> Format:
    return Format(kind, tuple(hints.split()), re.compile(pattern))


_CODE_HOSTS = (
    *(_token("github token", hint, rf"{_ALL}_", 36) for hint in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    _token("github token", "github_pat_", rf"{_ALL}_", 82),
    *(
        _token("gitlab token", hint, r"\w-", 20, end=r"(?:\.[\w-]{2,}\.[\w-]+)?")
        for hint in ("glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glsoat-",
                     "gloas-", "glffct-", "GR1348941")
    ),
    _token("bitbucket token", "ATBB", length=32, shortest=24, start=True),
    _token("atlassian token", "ATATT3", r"\w=-", 180, 40),
)  # fmt: skip
_CLOUDS = (
    _pattern(
        "aws key",
        "ecret_access_key SECRET_ACCESS_KEY SecretAccessKey",
        r"(?i:secret_?access_?key)\\?[\"']?[ \t]{0,4}[=:][ \t]{0,4}\\?[\"']?"
        rf"(?P<secret>(?:{_BREAK}[A-Za-z0-9/+]){{40}})",
    ),  # its base64 may begin with a slash, as a path does
    _pattern("aws key", "AKIA ASIA ABIA ACCA", rf"(?:AKIA|ASIA|ABIA|ACCA)(?:{_BREAK}[A-Z0-9]){{16}}[A-Z0-9]*"),
    _token("aws key", "ABSK", r"A-Za-z0-9+/=", 128, 60, start=True),
    _token("google key", "AIza", r"\w-", 35, 30),
    _token("google token", "ya29.", r"\w.-", 60),
    _token("google secret", "GOCSPX-", r"\w-", 28),
    _token("google token", "1//0", r"\w-", 60, 30, start=True),
    _pattern(
        "azure key",
        "AccountKey SharedAccessKey SharedSecretIssuer accountkey sharedaccesskey",
        r"(?i)(?:AccountKey|SharedAccessKey|SharedSecretValue)=\s*(?P<secret>[A-Za-z0-9+/%]{16,}={0,2})",
    ),
    _pattern("azure signature", "sig=", rf"{_START}sig=(?P<secret>[A-Za-z0-9%+/_-]{{30,}}={{0,2}})"),
    _pattern("azure secret", "Q~", r"[\w.~-]{3}[0-9]Q~[\w.~-]{31,34}"),
    *(_token("digitalocean token", f"do{letter}_v1_", _HEX, 64) for letter in "oprt"),
    _token("databricks token", "dapi", _HEX, 32, 32, start=True),
    _token("vault token", "hvs.", r"\w-", 90, 20),
    _token("vault token", "hvb.", r"\w-", 90, 20),
    _pattern("terraform token", ".atlasv1.", r"[A-Za-z0-9]{10,20}\.atlasv1\.[\w=-]{20,}"),
    _token("fly token", "fm2_", r"\w+/=,-", 100, 40),
    _token("fly token", "fo1_", r"\w-", 43, 30, start=True),
    _token("heroku token", "HRKU-", r"\w-", 60, 30),
    _token("supabase token", "sbp_", _HEX, 40),
    _token("supabase token", "sb_secret_", r"\w-", 31),
    _token("planetscale token", "pscale_tkn_", r"\w.=-", 32),
    _token("planetscale token", "pscale_pw_", r"\w.=-", 32),
    _token("planetscale token", "pscale_oauth_", r"\w.=-", 32),
    _token("doppler token", "dp.pt.", length=43),
    _token("doppler token", "dp.st.", r"\w.-", 43),
    _token("tailscale key", "tskey-", r"\w-", 40),
)
_MESSAGES = (
    *(_token("slack token", hint, r"A-Za-z0-9%-", 50, 10) for hint in ("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-",
                                                                     "xoxo-", "xoxe-", "xoxd-", "xoxc-", "xoxe.",
                                                                     "xapp-")),
    _pattern(
        "slack webhook",
        "hooks.slack",
        r"(?i)hooks\.slack(?:-gov)?\.com\\?/(?:services|workflows|triggers)\\?/(?P<secret>[\w/\\+-]{16,})",
    ),
    _pattern("discord token", ".", r"[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40}"),
    _pattern("discord token", "mfa.", rf"{_START}mfa\.[\w-]{{60,}}"),
    _pattern(
        "discord webhook",
        "webhooks",
        r"(?i)discord(?:app)?\.com\\?/api(?:\\?/v\d+)?\\?/webhooks\\?/\d+\\?/(?P<secret>[\w-]{16,})",
    ),
    _pattern("telegram token", ":AA", rf"(?<![0-9])[0-9]{{8,10}}:AA(?:{_BREAK}[\w-]){{33}}"),
    _pattern("twilio key", "SK", rf"{_START}SK(?:{_BREAK}[0-9a-f]){{32}}(?![0-9a-z])"),
    _pattern("sendgrid key", "SG.", rf"{_START}SG\.[\w-]{{16,32}}\.[\w-]{{16,64}}"),
    _pattern("mailgun key", "key-", rf"{_START}key-(?:{_BREAK}[0-9a-f]){{32}}(?![0-9a-z])"),
    _pattern(
        "mailchimp key",
        "-us",
        rf"{_START}[0-9a-f](?:{_BREAK}[0-9a-f]){{31}}{_BREAK}-us[0-9]{{1,2}}(?![0-9A-Za-z])",
    ),
)  # fmt: skip
_PAYMENTS = (
    *(
        _token("stripe key", f"{letter}k_{mode}_", length=24, shortest=10)
        for letter in "sr"
        for mode in ("live", "test", "org")
    ),
    _token("webhook secret", "whsec_", r"A-Za-z0-9+/=", 32),
    *(_token("shopify token", f"shp{letters}_", "A-Fa-f0-9", 32) for letters in ("at", "ca", "pa", "ss", "tka")),
    _token("square token", "sq0atp-", r"\w-", 22),
    _token("square token", "sq0csp-", r"\w-", 43),
)
_PACKAGES = (
    _token("npm token", "npm_", length=36, shortest=30, start=True),
    _token("pypi token", "pypi-Ag", r"\w-", 150),
    _token("rubygems key", "rubygems_", _HEX, 48),
    _token("docker token", "dckr_pat_", r"\w-", 27),
    _token("docker token", "dckr_oat_", r"\w-", 27),
)
_MODELS = (
    _token("anthropic key", "sk-ant-", r"\w-", 100),
    *(_token("openai key", f"sk-{use}-", r"\w-", 100) for use in ("proj", "svcacct", "admin", "None")),
    _token("openrouter key", "sk-or-v1-", _HEX, 64),
    _pattern(
        "openai key",
        "sk-",
        rf"{_START}sk-(?=[a-zA-Z]*[0-9])"
        rf"(?:(?:{_BREAK}[A-Za-z0-9]){{48}}|[A-Za-z0-9]{{20}})[A-Za-z0-9]*",
    ),
    _token("huggingface token", "hf_", length=34, shortest=24, start=True),
    _token("huggingface token", "api_org_", length=34, shortest=24, start=True),
    _token("groq key", "gsk_", length=52, shortest=30, start=True),
    _token("replicate token", "r8_", length=37, shortest=30, start=True),
    _token("xai key", "xai-", length=80, shortest=30, start=True),
    _token("perplexity key", "pplx-", length=48, shortest=30, start=True),
)
_TOOLS = (
    _token("linear key", "lin_api_", length=40),
    _token("notion token", "ntn_", length=46, shortest=30, start=True),
    _token("grafana token", "glsa_", r"\w", 41, 30, start=True),
    _token("grafana token", "glc_", r"A-Za-z0-9+/=", 80, 40, start=True),
    _token("new relic key", "NRAK-", "A-Z0-9", 27),
    _token("sentry token", "sntrys_", r"\w+/=-", 100, 30),
    _token("sentry token", "sntryu_", _HEX, 64),
    _token("postman key", "PMAK-", _HEX + "-", 59, 24),
    _token("figma token", "figd_", r"\w-", 40, 20),
    _token("1password token", "ops_eyJ", r"\w=+/-", 250, 40),
    _token("age key", "AGE-SECRET-KEY-1", "A-Z0-9", 58),
    _pattern("airtable token", "pat", r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
)

FORMATS: tuple[Format, ...] = (
    *_CODE_HOSTS, *_CLOUDS, *_MESSAGES, *_PAYMENTS, *_PACKAGES, *_MODELS, *_TOOLS
)  # fmt: skip
"""In this order."""

JWT = "jwt"
PASSWORD = "password"  # noqa: S105 - a word
PRIVATE_KEY = "private key"
AUTHORIZATION = "authorization"
SECRET = "secret"  # noqa: S105 - a word
VARIABLE = "variable"
"""Kinds of secrets without a format of their own."""
KINDS = frozenset({JWT, PASSWORD, PRIVATE_KEY, AUTHORIZATION, SECRET, VARIABLE, *(one.kind for one in FORMATS)})
"""All that may stand in `[redacted: …]`."""

SECRET_NAME = re.compile(
    r"secret|token|passw|passphrase|pwd|credential|api[_-]?key|private[_-]?key|access[_-]?key", re.IGNORECASE
)
"""Part of the name of a variable whose value is secret."""

HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Characters that are not shown."""
