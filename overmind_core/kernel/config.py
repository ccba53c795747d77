"""The settings of config.toml, checked; everything has a default that suits most.

A mistake stops a daemon that a person starts. A daemon that replaces one that died has no person to tell: it uses the
last good settings, for each daemon keeps a copy of the text that it began with.

```toml
[logs]
per_mission = "100MB"      # newest kept; at least 64KB, as the total
total = "10GB"             # all missions together; never more than a tenth of the disk
[retention]
finished = 10000           # records of ended missions
events = 100000            # entries of the event log
[sweep]
leave = ["gpg-agent"]      # programs that outlive the mission that started them; added to the built-in ones
[notify]
command = ["my-notify"]    # gets title and text, instead of the desktop's own notification; [] for none
[permissions]
allow = ["Bash(git status)"]  # questions of agents that are answered by themselves; deny wins
deny = ["Bash(rm:*)"]
[providers.claude]
program = "/opt/claude"    # instead of the one on PATH
[providers.mine]           # an agent of one's own, called acp:mine
program = "mine-agent"
protocol = "acp"           # the Agent Client Protocol, over pipes
args = ["--acp"]
install = "pipx install mine-agent"
[providers.ask]            # called once:ask
program = "ask"
protocol = "once"          # one prompt, its answer, and the end
args = ["--model={model?}", "--", "{prompt}"]  # or prompt = "stdin"
answer = "text"            # or a dotted key of its lines of JSON
[providers.qwen.terminal]  # what the title and the screen of that program tell, before what is known of it
rules = [{ on = "title", any = ["^✳"], state = "waiting" }]
[prices."gpt-5-codex"]     # US dollars for a million tokens, of a model whose program tells no dollars; or "gpt-5*"
input = 1.25
output = 10.0
cached_input = 0.125       # else as input
[keeper]
spawn = "auto"             # auto | posix_spawn | ptyprocess
[queue]
slots = 3                  # quests of the queue that run at once
agent = "claude"           # or ["my-agent", "--flag"]: does quests that have no command
providers = { claude = 2 } # of the slots, at most so many for this provider
max_cost_per_day = 0       # US dollars, from midnight to midnight; 0: no limit
activity_timeout = "15m"   # silence after which an agent of the queue is killed
backoff = "2s"             # pause after the first failed attempt; doubles with each
[health]
beat = "30s"               # between two looks; the others are counted in beats
quiet = 3
stalled = 10
hung = 2                   # beats missed after a steer
[guardian]
steer = "ask"              # off | ask | auto
every = "15s"              # least time between two samples
pause = "5m"               # least time between two steers of a mission
most = 3                   # steers of one mission
review = ""                # provider that judges with `health --review`
[reports]
depth = 3                  # reports that led to each other
per_source = 5             # quests that one mission reports
per_spec = 20              # unfinished reported quests of one spec
[memory]
inject = "auto"            # auto | pinned | off
agents = "live"            # live | propose: what agents remember
ask = true                 # one line about recall and remember for agents without notes
tokens = 1500              # at most, of what an agent is given; 200 to 8000
keep = "90d"               # episodes
model = ""                 # folder of a model that finds by meaning
[memory.repositories]
"github.com/me/fork" = "github.com/team/shop"  # shares its notes
[cortex]
incoming = "live"          # live | propose: what others write
every = "30s"              # between two exchanges
[hives.eu1]                # another machine, for -H eu1
ssh = "eu1.example.com"    # or gate = ["program", "that", "runs", "overmind", "gate"]
[contexts.web]             # for --context web
env = { STAGE = "test" }
secrets = ["NPM_TOKEN"]
on = { region = "eu" }
[pools.hpc]                # another engine that gives machines; docs/pools.md has the keys of each
engine = "slurm"           # ray | kubernetes | command
slots = 4                  # of each instance
max = 10
[swarm]                    # what this hive takes of its swarm; all of it where nothing is said
accept = { from = ["alice"], repositories = ["git@example.com:shop.git"], providers = ["claude"], commands = false }
[web]
port = 7600                # of `overmind web`
host = "127.0.0.1"
cert = ""                  # path of a certificate: TLS
key = ""                   # path of its private key
public_url = ""            # where a proxy serves it
session = "30d"            # how long a login lasts
```
"""

from __future__ import annotations

import os
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.agents.prices import Prices
from overmind_core.domain.settings import (
    CortexSettings,
    GuardianSettings,
    HealthSettings,
    MemorySettings,
    OwnAgent,
    QueueSettings,
    ReportSettings,
    SwarmSettings,
    WebSettings,
)
from overmind_core.errors import OvermindError, with_hint
from overmind_core.system.small_file import read_small_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from overmind_core.domain.agents.terminal_rules import Rule
    from overmind_core.domain.agents.terminal_words import OwnTerminal
    from overmind_core.domain.text.problems import Problem

SEGMENT = 4 * 1024 * 1024
"""Bytes of one log segment; smaller when the limit per mission is small."""
SEGMENTS_PER_LIMIT = 8


class Settings(NamedTuple):
    """Sizes in bytes."""

    log_limit: int = 100_000_000
    log_total: int = 10_000_000_000
    finished: int = 10_000
    events: int = 100_000
    leave: tuple[str, ...] = ()
    notify: tuple[str, ...] | None = None
    """What calls a person when nobody looks; None is the desktop's own way."""
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    programs: tuple[tuple[str, str], ...] = ()
    """Provider → its program."""
    own: tuple[OwnAgent, ...] = ()
    """Agents of the person's own."""
    on_terminal: tuple[OwnAgent, ...] = ()
    """Programs of the person's own of which nothing is known but the rules for their terminals."""
    terminal_rules: Mapping[str, tuple[Rule, ...]] = MappingProxyType({})
    """Program → the rules by which its title and its screen tell its state."""
    interrupts: Mapping[str, tuple[bytes, ...]] = MappingProxyType({})
    """Program → the keys that end its turn on a terminal."""
    terminals: Mapping[str, OwnTerminal] = MappingProxyType({})
    """Program → its empty prompt, and the words of its conversations."""
    prices: Prices = Prices()
    spawn_method: str = "auto"
    queue: QueueSettings = QueueSettings()
    health: HealthSettings = HealthSettings()
    guardian: GuardianSettings = GuardianSettings()
    reports: ReportSettings = ReportSettings()
    memory: MemorySettings = MemorySettings()
    cortex: CortexSettings = CortexSettings()
    swarm: SwarmSettings = SwarmSettings()
    web: WebSettings = WebSettings()

    @property
    def log_segment(self) -> int:
        """Bytes after which a log goes on in a new file."""
        return max(4096, min(SEGMENT, self.log_limit // SEGMENTS_PER_LIMIT))


MOST_TOLD = 5
"""Mistakes that one sentence names."""


class Loaded(NamedTuple):
    """The settings that count."""

    settings: Settings
    text: str
    """The file that says so."""
    mistake: str = ""
    """Why they are those that were good last, and not those of config.toml; "" when they are."""


LAST_VALID = "The last valid settings are in use. Fix the file, then run: overmind start --replace"


def load(path: str, *, providers: Collection[str]) -> Loaded:
    """The settings in the file; the defaults when there is none.

    Args:
        path: Of config.toml.
        providers: Names of the providers there are.

    Raises:
        OvermindError: `invalid_config`, naming file, line, column and key.
    """
    text = _text(path) or ""
    return Loaded(_settings(path, text, providers), text)


def load_or_last_good(path: str, copy: str, *, providers: Collection[str]) -> Loaded:
    """As `load`; where the file has a mistake, the settings of its copy, which had none.

    Raises:
        OvermindError: `invalid_config`; there is no copy, or it is of no use either.
    """
    try:
        return load(path, providers=providers)
    except OvermindError as error:
        if os.path.exists(copy):
            with suppress(OvermindError):
                return load(copy, providers=providers)._replace(mistake=error.message)
        raise


def pending(path: str, copy: str, used: Settings, *, providers: Collection[str], key: str | None = None) -> str:
    """What a person has changed in the file since the daemon began, as a sentence; "": nothing that it uses.

    Args:
        path: Of config.toml.
        copy: Of the text that the daemon began with.
        used: The daemon's settings.
        providers: Names of the providers there are.
        key: Only of this one in [queue].
    """
    try:
        text = _text(path) or ""
        if text == (_text(copy) or ""):
            return ""
        now = _settings(path, text, providers)
    except OvermindError as error:
        return with_hint(error.message, LAST_VALID)
    # The web server reads the rest of its table itself.
    web = used.web._replace(public_url=now.web.public_url, session=now.web.session)
    is_same = now._replace(web=web) == used
    if key is not None:
        is_same = getattr(now.queue, key) == getattr(used.queue, key)
    return "" if is_same else f"{path} was changed: it takes effect with: overmind start --replace"


def keep_copy(found: Loaded, copy: str) -> None:
    """Keep the text of settings that were good.

    Raises:
        OSError: it can't be written.
    """
    if not found.mistake and not _is_kept(found, copy):
        new = f"{copy}.new"
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(found.text.encode())
        os.replace(new, copy)


def _is_kept(found: Loaded, copy: str) -> bool:
    with suppress(OvermindError):  # a damaged copy is written anew
        return _text(copy) == found.text
    return False


def problems_line(path: str, problems: Iterable[Problem]) -> str:
    """Return the mistakes of a file as one line, each with its place."""
    lines = [f"{path}:{line}:{column}: {message}" for line, column, message in problems]
    more = [f"and {len(lines) - MOST_TOLD} more"] if len(lines) > MOST_TOLD else []
    return "; ".join([*lines[:MOST_TOLD], *more])


def _text(path: str) -> str | None:
    """The text of a file; None when there is none."""
    try:
        data = read_small_file(path)
    except OSError as error:
        raise OvermindError("invalid_config", f"{path} can't be read: {error.strerror}. Make it readable.") from error
    if data is None:
        return None
    from overmind_core.domain.text.problems import Problems, decoded  # noqa: PLC0415 - most homes have no configuration

    try:
        return decoded(data)
    except Problems as wrong:
        raise OvermindError("invalid_config", problems_line(path, wrong.problems)) from None


def _settings(path: str, text: str, providers: Collection[str]) -> Settings:
    if not text.strip():
        return Settings()
    from overmind_core.domain.text.problems import Problems  # noqa: PLC0415 - as above
    from overmind_core.kernel import config_file  # noqa: PLC0415 - it loads tomlkit, which costs 30 ms of each start

    try:
        return Settings(**config_file.read(text, providers=providers))
    except Problems as wrong:
        raise OvermindError("invalid_config", problems_line(path, wrong.problems)) from None
