"""What config.toml says to the supervisor reaches those who act on it."""

from __future__ import annotations

import os

import pytest

from overmind_core.domain.agents.agent import ActivityKind
from overmind_core.domain.agents.prices import Price, Prices
from overmind_core.domain.agents.terminal_rules import Rule
from overmind_core.domain.agents.terminal_words import ConversationWords, OwnTerminal
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
from overmind_core.errors import OvermindError
from overmind_core.kernel import config, config_file
from overmind_core.kernel.config import Settings
from overmind_core.providers.registry import names
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising

READ = [
    ("", Settings()),
    ('[logs]\nper_mission = "64KB"', Settings(log_limit=64_000)),
    ('[logs]\ntotal = "2GB"', Settings(log_total=2_000_000_000)),
    ("[retention]\nfinished = 5", Settings(finished=5)),
    ("[retention]\nevents = 6", Settings(events=6)),
    ('[sweep]\nleave = ["a*"]', Settings(leave=("a*",))),
    (
        '[prices.gpt-5]\ninput = 1.25\noutput = 10\n[prices."gpt-5*"]\ninput = 1\noutput = 2\ncached_input = 0.5',
        Settings(prices=Prices({"gpt-5": Price(1.25, 10.0), "gpt-5*": Price(1.0, 2.0, 0.5)})),
    ),
    ('[keeper]\nspawn = "auto"', Settings(spawn_method="auto")),
    ('[keeper]\nspawn = "posix_spawn"', Settings(spawn_method="posix_spawn")),
    ('[keeper]\nspawn = "ptyprocess"', Settings(spawn_method="ptyprocess")),
    ('[notify]\ncommand = ["beep", "-n"]', Settings(notify=("beep", "-n"))),
    ("[notify]\ncommand = []", Settings(notify=())),
    ('[permissions]\nallow = ["Bash(ls)"]\ndeny = ["Edit"]', Settings(allow=("Bash(ls)",), deny=("Edit",))),
    ('[providers.claude]\nprogram = "/opt/claude"', Settings(programs=(("claude", "/opt/claude"),))),
    (
        (
            '[queue]\nagent = "acp:mine"\nproviders = { "acp:mine" = 1 }\n'
            '[providers.mine]\nprogram = "/opt/mine"\nprotocol = "acp"\nargs = ["--acp", "x y"]'
        ),
        Settings(
            own=(OwnAgent("acp:mine", "/opt/mine", ("--acp", "x y")),),
            queue=QueueSettings(agent="acp:mine", providers={"acp:mine": 1}),
        ),
    ),
    ('[providers.m-2]\nprogram = "m"\nprotocol = "acp"', Settings(own=(OwnAgent("acp:m-2", "m"),))),
    (
        (
            '[providers.ask]\nprogram = "ask"\nprotocol = "once"\nargs = ["-m", "{model?}", "{prompt}"]\n'
            'answer = "result.text"\ninstall = "pipx install ask"\n'
            '[providers.pipe]\nprogram = "/opt/pipe"\nprotocol = "once"\nprompt = "stdin"\nanswer = "text"'
        ),
        Settings(
            own=(
                OwnAgent("once:ask", "ask", ("-m", "{model?}", "{prompt}"), "result.text", "pipx install ask"),
                OwnAgent("once:pipe", "/opt/pipe"),
            )
        ),
    ),
    (
        (
            '[providers.qwen]\nprogram = "/opt/qw"\n[providers.qwen.terminal]\ninterrupt = ["esc", "ctrl-c"]\n'
            '[[providers.qwen.terminal.rules]]\non = "title"\n'
            'any = ["^!", "[?]$"]\nstate = "waiting"\n[providers.mine]\nprogram = "bin/mine"\nprotocol = "terminal"\n'
            'terminal = { rules = [{ on = "screen", last = 2, any = ["^> "], state = "idle" },'
            ' { on = "screen", any = ["^x"], state = "limited" }] }'
        ),
        Settings(
            programs=(("qwen", "/opt/qw"),),
            interrupts={"qw": (b"\x1b", b"\x03"), "qwen": (b"\x1b", b"\x03")},
            on_terminal=(OwnAgent("terminal:mine", "bin/mine"),),
            terminal_rules={
                "qw": (Rule(ActivityKind.WAITING, "^!"), Rule(ActivityKind.WAITING, "[?]$")),
                "qwen": (Rule(ActivityKind.WAITING, "^!"), Rule(ActivityKind.WAITING, "[?]$")),
                "mine": (Rule(ActivityKind.IDLE, "^> ", 2), Rule(ActivityKind.LIMITED, "^x", 8)),
            },
        ),
    ),
    (
        (
            "[providers.qwen.terminal]\nready = '(?m)^>   Type your message'\nresume = ['--resume', '{session}']\n"
            "session = ['exit:qwen --resume ([0-9a-f-]{36})', 'hook:session_id', 'pid:~/.qwen/*/*.json']\n"
            '[providers.mine]\nprogram = "mine"\nprotocol = "terminal"\nterminal = { start = ["--id={session}"],'
            ' fork = ["fork", "{session}", "{new}", "$(x) ;"] }'
        ),
        Settings(
            on_terminal=(OwnAgent("terminal:mine", "mine"),),
            terminals={
                "qwen": OwnTerminal(
                    "(?m)^>   Type your message",
                    ConversationWords(
                        resume=("--resume", "{session}"),
                        ends=("qwen --resume ([0-9a-f-]{36})",),
                        records=("~/.qwen/*/*.json",),
                    ),
                ),
                "mine": OwnTerminal(
                    words=ConversationWords(start=("--id={session}",), fork=("fork", "{session}", "{new}", "$(x) ;"))
                ),
            },
        ),
    ),
    ("[queue]\nslots = 8", Settings(queue=QueueSettings(slots=8))),
    ('[queue]\nagent = "codex"', Settings(queue=QueueSettings(agent="codex"))),
    ('[queue]\nagent = ["my-agent", "--flag"]', Settings(queue=QueueSettings(agent=("my-agent", "--flag")))),
    ("[queue]\nproviders = { claude = 2 }", Settings(queue=QueueSettings(providers={"claude": 2}))),
    ("[queue.providers]\ncodex = 1", Settings(queue=QueueSettings(providers={"codex": 1}))),
    ("[queue]\nmax_cost_per_day = 2.5", Settings(queue=QueueSettings(max_cost_per_day=2.5))),
    ('[queue]\nactivity_timeout = "20m"', Settings(queue=QueueSettings(activity_timeout=1200.0))),
    ('[queue]\nbackoff = "50ms"', Settings(queue=QueueSettings(backoff=0.05))),
    (
        '[health]\nbeat = "1s"\nquiet = 1\nstalled = 2\nhung = 4',
        Settings(health=HealthSettings(beat=1.0, quiet=1, stalled=2, hung=4)),
    ),
    (
        '[guardian]\nsteer = "auto"\nevery = "1s"\npause = 0\nmost = 0\nreview = "claude"',
        Settings(guardian=GuardianSettings(steer="auto", every=1.0, pause=0.0, most=0, review="claude")),
    ),
    (
        "[reports]\ndepth = 1\nper_source = 2\nper_spec = 0",
        Settings(reports=ReportSettings(depth=1, per_source=2, per_spec=0)),
    ),
    (
        (
            '[memory]\ninject = "pinned"\nagents = "propose"\nask = false\ntokens = 200\nkeep = "1d"\nmodel = "/m"\n'
            '[memory.repositories]\n"github.com/a/b" = "github.com/c/d"\n[cortex]\nincoming = "propose"\nevery = "1m"'
        ),
        Settings(
            memory=MemorySettings(
                "pinned", "propose", False, 200, 86_400.0, "/m", {"github.com/a/b": "github.com/c/d"}
            ),
            cortex=CortexSettings("propose", 60.0),
        ),
    ),
    (
        '[web]\nport = 8443\nhost = "0.0.0.0"\ncert = "/c.pem"\nkey = "/k.pem"\nsession = "7d"',
        Settings(web=WebSettings(8443, "0.0.0.0", "/c.pem", "/k.pem", session=604_800.0)),
    ),
    (
        '[web]\npublic_url = "https://box.example:8443/om/"',
        Settings(web=WebSettings(public_url="https://box.example:8443/om")),
    ),
    (
        (
            '[swarm.accept]\nfrom = ["alice"]\nrepositories = ["git@example.com:shop.git"]\n'
            'providers = ["claude"]\ncommands = false'
        ),
        Settings(
            swarm=SwarmSettings(
                {
                    "from": ("alice",),
                    "repositories": ("git@example.com:shop.git",),
                    "providers": ("claude",),
                    "commands": False,
                }
            )
        ),
    ),
    ("[queue]\n[health]\n[guardian]\n[reports]\n[memory]\n[cortex]\n[swarm]\n[web]", Settings()),
]
PRICE_RULE = "write US dollars for a million tokens, such as 1.25"
ONCE = '[providers.mine]\nprogram = "x"\nprotocol = "once"'


def _rule(keys):
    return f"[providers.qwen.terminal]\nrules = [{{ {keys} }}]"


def terminal(line):
    return f"[providers.qwen.terminal]\n{line}"


def own_terminal(line):
    return f'[providers.mine]\nprogram = "mine"\nprotocol = "terminal"\n[providers.mine.terminal]\n{line}'


REFUSED = [
    ("[prices.m]\ninput = 1\noutput = -1", f"3:10: prices.m.output: {PRICE_RULE}"),
    ('[prices.m]\ninput = "1"\noutput = 1', f"2:9: prices.m.input: {PRICE_RULE}"),
    ("[prices.m]\ninput = true\noutput = 1", f"2:9: prices.m.input: {PRICE_RULE}"),
    ("[prices.m]\ninput = nan\noutput = 1", f"2:9: prices.m.input: {PRICE_RULE}"),
    ("[prices.m]\ninput = 1\noutput = 1000001", f"3:10: prices.m.output: {PRICE_RULE}"),
    ("[prices.m]\ninput = 1", f"1:9: prices.m: missing output: {PRICE_RULE}"),
    (
        "[prices.m]\ninput = 1\noutput = 1\ncache_input = 1",
        "4:1: prices.m: unknown key 'cache_input'. Did you mean cached_input or input?",
    ),
    ("[prices]\ninput = 1", "2:9: prices.input: write a table with input and output"),
    ('[prices."a*b"]\ninput = 1\noutput = 1', "1:9: prices.a*b: write the name of a model, 1 to 200 characters"),
    ("prices = 1", "1:10: prices: write a table for each model"),
    ("[price.m]\ninput = 1\noutput = 1", "1:2: unknown table 'price'. Did you mean prices"),
    ('[permissions]\ndenny = ["Bash(rm:*)"]', "2:1: permissions: unknown key 'denny'. Did you mean deny?"),
    ('[permission]\ndeny = ["Edit"]', "1:2: unknown table 'permission'. Did you mean permissions"),
    ('[lgs]\ntotal = "1GB"', "1:2: unknown table 'lgs'. Did you mean logs"),
    ('[logs]\nper_mission = "0"', "2:15: logs.per_mission: write at least 64KB"),
    ("[logs]\nper_mission = 100", "2:15: logs.per_mission: write at least 64KB"),
    ('[logs]\ntotal = "63KB"', "2:9: logs.total: write at least 64KB"),
    ('\n[logs]\nper_mision = "1GB"', "3:1: logs: unknown key 'per_mision'. Did you mean per_mission?"),
    ('deny = ["Edit"]', "1:1: unknown table 'deny'. Move it to [permissions]"),
    ('[permissions]\ndeny = ["Edti"]', "2:9: permissions.deny: unknown tool 'Edti'. Did you mean Edit?"),
    ('[permissions]\nallow = ["bash"]', "2:10: permissions.allow: unknown tool 'bash'. Did you mean Bash?"),
    ('[permissions]\nallow = ["Bash("]', "2:10: permissions.allow: "),
    ('[permissions]\nallow = ["Edit"]\nallow = ["Bash"]', "3:1: permissions.allow is listed twice: first in line 2"),
    ("[attach]\ndetach_key = []", "2:1: attach: unknown key 'detach_key'. Did you mean detach_keys?"),
    ('[providers.cluade]\nprogram = "x"', "1:12: providers: unknown provider 'cluade'. Did you mean claude?"),
    (
        '[providers.aider]\nprogram = "x"',
        '1:12: providers: unknown provider \'aider\'. An agent of your own has protocol = "acp", "once" or "terminal"',
    ),
    ('[providers.mine]\nprotocol = "acp"', "1:12: providers.mine: missing program: write a path or a name"),
    ('[providers.mine]\nprogram = "x"\nprotocol = "apc"', "3:12: providers.mine.protocol: unknown protocol 'apc'"),
    ('[providers.mine]\nprogram = "x"\nprotocol = "acp"\nargs = "-a"', "4:8: providers.mine.args: write a list of"),
    (
        '[providers.mine]\nprogram = "x"\nprotocol = "acp"\nargs = ["\\u0000"]',
        "4:8: providers.mine.args: write a list of",
    ),
    ('[providers.mine]\nprogram = "\\u0000"\nprotocol = "acp"', "2:11: providers.mine.program: write a path or a name"),
    (
        f'{ONCE}\nargs = ["-p"]',
        '4:8: providers.mine.args: no place for the prompt: add "{prompt}", or prompt = "stdin"',
    ),
    (ONCE, '1:12: providers.mine: no place for the prompt: add "{prompt}", or prompt = "stdin"'),
    (f'{ONCE}\nargs = ["{{promt}}"]', "4:8: providers.mine.args: unknown place {promt}. Did you mean {prompt}?"),
    (f'{ONCE}\nargs = ["{{prompt?}}"]', "4:8: providers.mine.args: {prompt?} is never left out: write {prompt}"),
    (f'{ONCE}\nargs = ["{{prompt}}"]\nprompt = "stdin"', "4:8: providers.mine.args: the prompt is in args and on"),
    (
        '[providers.mine]\nprogram = "/bin/sh"\nprotocol = "once"\nargs = ["-lc", "echo {prompt}"]',
        "4:8: providers.mine.args: {prompt} would be read by sh as a part of its script: give it as a word of its own",
    ),
    (
        '[providers.mine]\nprogram = "/opt/npx"\nprotocol = "acp"\n[providers.mine.terminal]\ninterrupt = ["esc"]',
        "4:17: providers.mine.terminal: npx runs other programs, and they would count for all of them: write rules",
    ),
    (f'{ONCE}\nprompt = "file"', "4:10: providers.mine.prompt: unknown place 'file', known are stdin"),
    (f'{ONCE}\nargs = ["{{prompt}}"]\nanswer = "a..b"', '5:10: providers.mine.answer: write "text", or a dotted key'),
    (f"{ONCE}\nanswers = 3", "4:1: unknown key 'answers'. Did you mean answer?"),
    ('[providers.mine]\nprogram = "x"\nprotocol = "acp"\nanswer = "text"', "4:1: unknown key 'answer'"),
    ('[providers.mine]\nprogram = "x"\nprotocol = "terminal"', "1:12: providers.mine: missing rules: write ["),
    ("[providers.qwen]\nterminal = 3", "2:12: providers.qwen.terminal: write a table with rules = ["),
    ("[providers.qwen.terminal]\nrules = []", "2:9: providers.qwen.terminal.rules: write a list of rules"),
    ("[providers.qwen.terminal]", "1:17: providers.qwen.terminal: missing rules, interrupt, ready or resume"),
    (
        '[providers.qwen.terminal]\ninterrupt = "esc"',
        "2:13: providers.qwen.terminal.interrupt: write a list of up to 4",
    ),
    ('[providers.qwen.terminal]\ninterrupt = ["Esc"]', "2:13: providers.qwen.terminal.interrupt: write a list of up"),
    ("[providers.qwen.terminal]\ninterrupt = [1]", "2:13: providers.qwen.terminal.interrupt: write a list of up to 4"),
    ("[providers.qwen.terminal]\nrule = []", "2:1: unknown key 'rule'. Did you mean rules?"),
    (terminal("ready = 3"), "2:9: providers.qwen.terminal.ready: write a pattern, such as"),
    (terminal("ready = '(a+)+$'"), "2:9: providers.qwen.terminal.ready: write a pattern without a repeat or a choice"),
    (terminal("ready = '.*a.*b.*c'"), "2:9: providers.qwen.terminal.ready: a look at a screen could take longer than"),
    (terminal("resume = '--resume'"), "2:10: providers.qwen.terminal.resume: write a list of 1 to 16 texts, such as"),
    (terminal("resume = []"), "2:10: providers.qwen.terminal.resume: write a list of 1 to 16 texts, such as resume"),
    (terminal("resume = ['--resume']"), "2:10: providers.qwen.terminal.resume: no place for the id of the conversati"),
    (terminal('start = ["\\u0000{session}"]'), "2:9: providers.qwen.terminal.start: write a list of 1 to 16 texts"),
    (terminal(f"fork = ['{{session}}{'x' * 200_000}']"), "2:8: providers.qwen.terminal.fork: write texts of at most"),
    (terminal("start = ['{session}', '{new}']"), "2:9: providers.qwen.terminal.start: {new} is the id of a copy"),
    (terminal("session = []"), "2:11: providers.qwen.terminal.session: write a list of 1 to 8 texts: 'exit:PATTERN'"),
    (terminal("session = ['x']"), "2:12: providers.qwen.terminal.session: write 'exit:PATTERN' with the id as its"),
    (terminal("session = ['exit:x']"), "2:12: providers.qwen.terminal.session: write the id as a group, as in"),
    (terminal("session = ['exit:(']"), "2:12: providers.qwen.terminal.session: '(' is no pattern: "),
    (terminal("session = ['exit:((a+)+)$']"), "2:12: providers.qwen.terminal.session: write a pattern without a repe"),
    (terminal("session = ['pid:x/*.json']"), "2:12: providers.qwen.terminal.session: write a path that begins with"),
    (terminal("session = ['pid:/**/x']"), "2:12: providers.qwen.terminal.session: write a path that begins with / or"),
    (own_terminal("session = ['hook:session_id']"), "5:12: providers.mine.terminal.session: hooks of this program are"),
    (own_terminal("session = ['exit:(a)']"), "4:17: providers.mine.terminal: missing resume: write a list of words"),
    (own_terminal("resume = ['{session}']"), "4:17: providers.mine.terminal: missing session: write where the id is"),
    (
        _rule('on = "titel", any = ["x"], state = "idle"'),
        "2:17: providers.qwen.terminal.rules.on: unknown value 'titel', known are title, screen. Did you mean",
    ),
    (
        _rule('on = "title", any = ["x"], state = "busy"'),
        "2:47: providers.qwen.terminal.rules.state: unknown state 'busy', known are waiting, working, idle, lim",
    ),
    (_rule('on = "title", any = ["x"], state = "idle", lsat = 3'), "2:55: unknown key 'lsat'. Did you mean last"),
    (
        _rule('on = "title", any = ["x"], state = "idle", last = 3'),
        "2:62: providers.qwen.terminal.rules.last: a title has no lines: leave last out",
    ),
    (
        _rule('on = "screen", any = ["x"], state = "idle", last = 61'),
        "2:63: providers.qwen.terminal.rules.last: write a number of lines, 1 to 60",
    ),
    (
        _rule('on = "screen", any = "x", state = "idle"'),
        "2:33: providers.qwen.terminal.rules.any: write a list of patterns",
    ),
    (
        _rule('on = "screen", any = [""], state = "idle"'),
        "2:33: providers.qwen.terminal.rules.any: write a list of patterns",
    ),
    (_rule('on = "screen", state = "idle"'), "2:10: providers.qwen.terminal.rules: missing any"),
    (
        _rule('on = "screen", any = ["(x"], state = "idle"'),
        "2:34: providers.qwen.terminal.rules.any: '(x' is no pattern: missing ), ",
    ),
    (
        _rule('on = "screen", any = ["(a+)+$"], state = "idle"'),
        "2:34: providers.qwen.terminal.rules.any: write a pattern without a repeat",
    ),
    (
        _rule('on = "screen", any = [".*x.*y"], state = "idle"'),
        "2:34: providers.qwen.terminal.rules.any: a look at a screen could take longer than 5",
    ),
    ('[providers.Mine]\nprogram = "x"\nprotocol = "acp"', "1:12: providers: 'Mine' can't be the name of an agent"),
    ('[providers.claude]\nprotocol = "acp"', "2:1: unknown key 'protocol'"),
    ('[queue]\nagent = "acp:mine"', "2:9: queue.agent: unknown provider 'acp:mine'"),
    ('[providers.claude]\nprogramm = "x"', "2:1: unknown key 'programm'. Did you mean program?"),
    ('[providers.claude]\nprogram = ""', "2:11: providers.claude.program: write a path or a name"),
    ('[providers]\nclaude = "x"', "2:10: providers.claude: write a table: [providers.claude]"),
    ('[keeper]\nspawn = "fork"', "2:9: keeper.spawn: unknown value 'fork', known are auto, posix_spawn, ptyprocess"),
    ("[keeper]\nspawn = true", "2:9: keeper.spawn: write a string in quotes"),
    ("keeper = 3", "1:10: keeper: write a table"),
    ("[retention]\nfinished = 0", "2:12: retention.finished: write a whole number above 0"),
    ("[retention]\nevents = true", "2:10: retention.events: write a whole number above 0"),
    ('[sweep]\nleave = "a"', "2:9: sweep.leave: write a list of strings"),
    ("[queue]\nslots = 0", "2:9: queue.slots: write a whole number above 0"),
    ("[queue]\nslot = 2", "2:1: queue: unknown key 'slot'. Did you mean slots?"),
    ('[queue]\nagent = "cluade"', "2:9: queue.agent: unknown provider 'cluade'. Did you mean claude?"),
    ("[queue]\nagent = []", "2:9: queue.agent: write a provider, such as"),
    ('[queue]\nagent = ["", "x"]', "2:9: queue.agent: write a provider, such as"),
    ('[queue]\nagent = ["my-agent", 3]', "2:9: queue.agent: write a provider, such as"),
    ('[queue]\nagent = ["my\\u0000agent"]', "2:9: queue.agent: write a provider, such as"),
    ("[queue]\nagent = 3", "2:9: queue.agent: write a provider, such as"),
    ("[queue]\nproviders = 2", "2:13: queue.providers: write a table, such as { claude = 2 }"),
    ("[queue]\nproviders = { cluade = 2 }", "2:15: queue.providers: unknown provider 'cluade'. Did you mean claude?"),
    ("[queue]\nproviders = { claude = 0 }", "2:24: queue.providers.claude: write a whole number above 0"),
    ("[queue]\nmax_cost_per_day = -1", "2:20: queue.max_cost_per_day: write an amount of US dollars"),
    ("[queue]\nmax_cost_per_day = nan", "2:20: queue.max_cost_per_day: write an amount of US dollars"),
    ("[queue]\nmax_cost_per_day = inf", "2:20: queue.max_cost_per_day: write an amount of US dollars"),
    ('[queue]\nactivity_timeout = "soon"', "2:20: queue.activity_timeout: 'soon' is not a duration"),
    ("[queue]\nbackoff = true", "2:11: queue.backoff: write a duration"),
    ("queue = 3", "1:9: queue: write a table"),
    ("slots = 3", "1:1: unknown table 'slots'. Move it to [queue]"),
    ('[health]\nbeat = "0s"', "2:8: health.beat: write a duration above 0"),
    ("[health]\nquiet = 10", "2:9: health.quiet: quiet (10) must come before stalled (10)"),
    ("[health]\nstalled = 2", "2:11: health.stalled: quiet (3) must come before stalled (2)"),
    ("[health]\nhung = 0", "2:8: health.hung: write a whole number above 0"),
    ('[guardian]\nsteer = "yes"', "2:9: guardian.steer: unknown value 'yes', known are off, ask, auto"),
    ("[guardian]\nevery = 0", "2:9: guardian.every: write a duration above 0"),
    ("[guardian]\nmost = -1", "2:8: guardian.most: write a whole number from 0 up"),
    ('[guardian]\nreview = "cluade"', "2:10: guardian.review: unknown provider 'cluade'. Did you mean claude?"),
    ('[memory]\ninject = "all"', "2:10: memory.inject: unknown value 'all', known are auto, pinned, off"),
    ("[memory]\nask = 1", "2:7: memory.ask: write true or false"),
    ("[memory]\ntokens = 100", "2:10: memory.tokens: write a whole number from 200 to 8000"),
    ('[memory]\nmodel = "m"', "2:9: memory.model: write the absolute path of a folder"),
    ('[memory.repositories]\na = ""', "2:5: memory.repositories.a: write a repository"),
    ("[cortex]\nevery = 0", "2:9: cortex.every: write a duration above 0"),
    ("[swarm]\naccept = true", '2:10: swarm.accept: write a table, such as { from = ["alice"], commands = false }'),
    ("[swarm.accept]\nform = []", "2:8: swarm.accept.form: unknown key. Did you mean from?"),
    ('[swarm.accept]\nfrom = "alice"', "2:8: swarm.accept.from: write a list of strings"),
    ("[swarm.accept]\ncommands = 1", "2:12: swarm.accept.commands: write true or false"),
    ('[swarm.accept]\nproviders = ["cluade"]', "2:13: swarm.accept.providers: unknown provider 'cluade'. Did you mean"),
    ("[web]\nport = 0", "2:8: web.port: write a port, 1 to 65535"),
    ("[web]\nport = 65536", "2:8: web.port: write a port"),
    ("[web]\nport = true", "2:8: web.port: write a port"),
    ('[web]\nport = "7600"', "2:8: web.port: write a port"),
    ('[web]\nhost = "127.0.0.1:7600"', "2:8: web.host: write a host name or an address"),
    ('[web]\nhost = "1::2::3"', "2:8: web.host: write a host name or an address"),
    ('[web]\npublic_url = "https://[::1::]/"', "2:14: web.public_url: write an address such as"),
    ('[web]\nhost = "box.example"', "2:8: web.host: box.example is reached by other machines: it needs cert and key"),
    ('[web]\nhost = "::"', "2:8: web.host: :: is reached by other machines"),
    ('[web]\ncert = "/c.pem"', "2:8: web.cert: cert needs key"),
    ('[web]\nkey = "/k.pem"\nhost = "::"', "2:7: web.key: key needs cert"),
    ('[web]\ncert = "c.pem"\nkey = "/k"', "2:8: web.cert: write the absolute path of a file"),
    ('[web]\npublic_url = "box.example/om"', "2:14: web.public_url: write an address such as"),
    ('[web]\npublic_url = "https://me:secret@box.example"', "2:14: web.public_url: write an address such as"),
    ('[web]\npublic_url = "https://box.example/om?x"', "2:14: web.public_url: write an address such as"),
    ('[web]\npublic_url = "https://box.example/a/../b"', "2:14: web.public_url: write an address such as"),
    ('[web]\npublic_url = "https://box.example:99999"', "2:14: web.public_url: write an address such as"),
    ('[web]\npublic_url = "javascript:alert(1)"', "2:14: web.public_url: write an address such as"),
    ('[web]\nsession = "59s"', '2:11: web.session: write a duration from "1m" to "3650d"'),
    ('[web]\nsession = "11y"', "2:11: web.session:"),
    ("[web]\nports = 1", "2:1: web: unknown key 'ports'. Did you mean port?"),
    ("[reports]\nper_spec = 1.5", "2:12: reports.per_spec: write a whole number from 0 up"),
    ("[reports]\ndepht = 1", "2:1: reports: unknown key 'depht'. Did you mean depth?"),
    ("[logs", "1:"),
]


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path))


def load(home, text):
    with open(home.config, "w", encoding="utf-8") as file:
        file.write(text)
    return config.load(home.config, providers=names()).settings


@pytest.mark.parametrize(("text", "expected"), READ)
def test_each_key_sets_what_it_names_and_nothing_else(home, text, expected):
    assert load(home, text) == expected


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_a_mistake_is_told_with_its_file_line_and_nearest_key(home, text, why):
    with pytest.raises(OvermindError) as refusal:
        load(home, text)
    assert refusal.value.code == "invalid_config"
    assert f"{home.config}:{why}" in refusal.value.message


def test_without_a_file_all_is_as_it_suits_most(home):
    assert config.load(home.config, providers=names()).settings == Settings()


def test_the_example_of_the_documentation_is_the_defaults_of_the_engine(home):
    with open(os.path.join(os.path.dirname(__file__), "../../../docs/configuration.md"), encoding="utf-8") as page:
        written = page.read().partition("```toml\n")[2].partition("```")[0]
    read = load(home, written)
    default = Settings()
    assert read.queue == default.queue._replace(agent="claude", providers={"claude": 2})
    assert (read.health, read.guardian, read.reports) == (default.health, default.guardian, default.reports)


def test_all_mistakes_are_told_at_once(home):
    with pytest.raises(OvermindError) as refusal:
        load(home, "".join(f"[t{number}]\n" for number in range(7)))
    assert refusal.value.message.count("unknown table") == 5
    assert refusal.value.message.endswith("; and 2 more")


def test_what_the_full_screen_program_reads_stops_no_daemon_and_is_found_all_the_same(home):
    text = '[tui]\nthem = "dark"\n[tui.hotkeys]\nf2 = "top"\n'
    assert load(home, text) == Settings()
    assert config_file.tui_problems(text) == [(2, 1, "tui: unknown key 'them'. Did you mean theme?")]
    assert config_file.tui_problems("tui = 3")


def last_good(home):
    return config.load_or_last_good(home.config, home.good_config, providers=names())


def test_a_daemon_that_goes_on_for_another_has_the_settings_that_were_good_last(home):
    good = '[permissions]\ndeny = ["Edit"]'
    load(home, good)
    config.keep_copy(last_good(home), home.good_config)
    with pytest.raises(OvermindError) as refusal:
        load(home, "[permissions]\nden")
    found = last_good(home)
    assert (found.settings, found.mistake) == (Settings(deny=("Edit",)), refusal.value.message)
    config.keep_copy(found, home.good_config)
    assert last_good(home) == found
    load(home, "[retention]\nfinished = 3")
    assert last_good(home) == (Settings(finished=3), "[retention]\nfinished = 3", "")


NOT_USED_YET = "was changed: it takes effect with: overmind start --replace"
CHANGED = [
    ("[queue]\nslots = 2", ""),
    ("[queue]\nslots = 2 # the same, with a word on it", ""),
    ('[queue]\nslots = 2\n[tui]\ntheme = "light"\n[web]\nport = 7700', ""),
    ('[queue]\nslots = 2\n[web]\nhost = "::"\ncert = "/c.pem"\nkey = "/k.pem"', ""),
    ('[queue]\nslots = 2\n[web]\nsession = "7d"', NOT_USED_YET),
    ('[queue]\nslots = 2\n[web]\npublic_url = "https://box.example/om"', NOT_USED_YET),
    ("[queue]\nslots = 3", NOT_USED_YET),
    ("", NOT_USED_YET),
    ("[queue]\nslot = 3", f"unknown key 'slot'. Did you mean slots? {config.LAST_VALID}"),
]


@pytest.mark.parametrize(("text", "said"), CHANGED)
def test_a_change_that_a_running_daemon_does_not_use_yet_is_said(home, text, said):
    used = load(home, "[queue]\nslots = 2")
    config.keep_copy(last_good(home), home.good_config)
    with open(home.config, "w", encoding="utf-8") as file:
        file.write(text)
    found = config.pending(home.config, home.good_config, used, providers=names())
    assert found.endswith(said)
    assert bool(found) == bool(said)


def test_of_one_key_only_a_change_of_it_is_said(home):
    used = load(home, "[queue]\nslots = 2")
    config.keep_copy(last_good(home), home.good_config)
    with open(home.config, "w", encoding="utf-8") as file:
        file.write("[queue]\nslots = 3")
    found = {
        key: config.pending(home.config, home.good_config, used, providers=names(), key=key)
        for key in ("slots", "max_cost_per_day")
    }
    assert {key: bool(said) for key, said in found.items()} == {"slots": True, "max_cost_per_day": False}


def test_without_settings_that_were_good_once_a_mistake_stops_every_daemon(home):
    for copy in (None, "[logs"):
        if copy is not None:
            with open(home.good_config, "w", encoding="utf-8") as file:
                file.write(copy)
        with pytest.raises(OvermindError):
            load(home, "[permissions]\ndenny = []")
        with pytest.raises(OvermindError, match="denny"):
            last_good(home)


@pytest.mark.parametrize("way", ["auto", "posix_spawn", "ptyprocess"])
def test_the_keeper_is_asked_to_spawn_in_the_way_that_is_set(home, way):
    chosen = load(home, f'[keeper]\nspawn = "{way}"\n[logs]\nper_mission = "64KB"')

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=chosen) as inside:
            await inside.run("true")
        (asked,) = keeper.asked["spawn"]
        assert (asked["method"], asked["log_limit"], asked["segment"]) == (way, 64_000, 8_000)

    in_process.run(story())
