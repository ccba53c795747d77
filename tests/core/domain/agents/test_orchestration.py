"""What an orchestrator does unasked, and what a person must allow."""

from __future__ import annotations

from overmind_core.domain.agents.agent import Agent
from overmind_core.domain.agents.permission import permits
from tests.kit.cases import tabled

CWD = "/work/project"
AGENT = Agent(
    orchestrator=True, allow=("Bash(npm test)",), allowed_tools=("Edit",), permission_mode="acceptEdits",
    mcp_config=("/etc/mcp.json",),
)  # fmt: skip
UNASKED = [
    "overmind board --by spec",
    "overmind queue",
    "overmind queue --at +2h",
    "overmind quest list --ready",
    "overmind quest why login; overmind quest wait login --timeout 1m",
    "overmind spec check login",
    "overmind learn",
    "overmind recall 'why redis?'",
    "overmind notes --proposed; overmind note N-7f3k9c2m4q --history",
    "overmind memory",
    "overmind memory used api --run 2",
    "overmind claude run --no-memory 'fix'",
    "overmind report bug 'names may be empty'",
    "overmind worktrees",
    "overmind changes api --stat",
    "overmind claude run --isolate do it",
    "overmind ps",
    "overmind ps --json 2>&1",
    "overmind ps && overmind logs api --tail 20",
    "overmind info api; overmind result api",
    "overmind wait api --timeout 100s || overmind logs api",
    "overmind send api 'please rm -rf nothing; $HOME'",
    "overmind send api - <<'EOF'\nseveral `lines`\nof $text\nEOF",
    "overmind interrupt api",
    "overmind stop api --cascade",
    "overmind kill api",
    "overmind skill",
    "overmind --help",
    "overmind run --help",
    "overmind kill --help",
    "overmind claude run 'fix the tests'",
    "overmind claude run --json --name tests --type session",
    "overmind claude run --name=tests --max-cost 1 --max-turns=20 'fix'",
    "overmind claude run -- --allow",
    "overmind claude run 'fix' --allow Bash",
    "overmind claude run - <<'EOF'\nfix\nEOF",
    "overmind run --provider claude 'fix'",
    "overmind run --orchestrator --type session 'divide'",
    "overmind run --provider codex 'fix'",
    "overmind claude run --deny 'Bash(git push:*)' fix",
    "overmind claude run --cwd api fix",
    "overmind claude run --cwd . fix",
    "overmind claude run --cwd /work/project/api fix",
    "overmind claude run --permission-mode plan fix",
    "overmind run --provider opencode --permission-mode plan fix",
    "overmind run --provider qwen --permission-mode ask fix",
    "overmind run --permission-mode=read-only --provider codex fix",
    "overmind claude run --permission-mode acceptEdits fix",
    "overmind claude run --allow 'Bash(npm test)' --allowed-tools Edit --mcp-config /etc/mcp.json fix",
]
ASKED = [
    "",
    "overmind queue pause",
    "overmind queue slots 9",
    "overmind quest",
    "overmind quest add x -- rm -rf /",
    "overmind quest run ls",
    "overmind quest retry login",
    "overmind quest cancel login",
    "overmind spec accept login",
    "overmind learn accept N-7f3k",
    "overmind remember x",
    "overmind note",
    "overmind note accept N-7f3k9c2m4q",
    "overmind note edit N-7f3k9c2m4q --text x",
    "overmind memory export /tmp/x",
    "overmind memory off",
    "overmind memory reindex",
    "overmind",
    "ls",
    "overmind merge api",
    "overmind discard api --force",
    "overmind ps; ls",
    "overmind ps | sh",
    "overmind ps > ~/.bashrc",
    "overmind ps $(id)",
    "X=1 overmind ps",
    "./overmind ps",
    "overmind run ls",
    "overmind run 'rm -rf /'",
    "overmind run --provider raw ls",
    "overmind run --type session bash",
    "overmind run --orchestrator --provider raw ls",
    "overmind --headless run ls",
    "overmind restart api",
    "overmind shutdown -y",
    "overmind answer 7 allow",
    "overmind attach api",
    "overmind update api --name x",
    "overmind rm api",
    "overmind service install",
    "overmind claude run --allow Bash fix",
    "overmind claude run --allow 'Bash(npm test)' --allow Bash fix",
    "overmind claude run --allow=Bash fix",
    "overmind claude run --allowed-tools Bash fix",
    "overmind claude run --permission-mode bypassPermissions fix",
    "overmind claude run --permission-mode=dontAsk fix",
    "overmind run --provider qwen --permission-mode edits fix",
    "overmind run --provider opencode --permission-mode all fix",
    "overmind run --provider opencode --permission-mode build fix",
    "overmind run --provider codex --permission-mode workspace-write fix",
    "overmind run --provider acp:mine fix",
    "overmind claude run --agent-arg --dangerously-skip-permissions fix",
    "overmind claude run --env OVERMIND_CLAUDE_BIN=/tmp/x fix",
    "overmind claude run -e X=1 fix",
    "overmind claude run --env-file x fix",
    "overmind claude run --mcp-config '{}' fix",
    "overmind claude run --cwd / fix",
    "overmind claude run --cwd .. fix",
    "overmind claude run --cwd api/../../other fix",
    "overmind claude run --cwd /work/project2 fix",
    "overmind claude run --interactive fix",
    "overmind claude run --name",
    "overmind claude run --nam --allow",
    "overmind claude run --json=1 fix",
    "overmind claude walk",
    "overmind run --unknown --provider claude fix",
    "overmind --version --help",
    "overmind run ls --help",
    "overmind run -- --help",
]


@tabled("command", UNASKED)
def test_looking_talking_and_starting_agents_needs_nobody(command):
    assert permits(command, AGENT, CWD)


@tabled("command", ASKED)
def test_whatever_could_do_more_than_the_agent_itself_is_asked(command):
    assert not permits(command, AGENT, CWD)


WITH_MEMORY = [
    "overmind remember 'start redis first; $HOME'",
    "overmind remember - <<'EOF'\nseveral `lines`\nEOF",
    "overmind remember --key tests --tag redis x && overmind recall tests",
    "overmind search --literal '100%'",
    "overmind notes",
    "overmind note N-7f3k9c2m4q",
    "overmind note edit N-7f3k9c2m4q --text=x",
    "overmind helped N-7f3k9c2m4q -m 'it did'",
    "overmind hurt N-7f3k",
    "overmind forget N-7f3k",
    "overmind memory --json",
    "overmind memory used api",
]
ASKED_WITH_MEMORY = [
    "overmind remember x; rm x",
    "overmind remember x | sh",
    "overmind recall x > ~/.bashrc",
    "overmind remember $(id)",
    "EDITOR=/tmp/x overmind note edit N-7f3k --text x",
    "overmind note edit N-7f3k",
    "overmind memory export /tmp/x",
    "overmind memory connect https://x",
    "overmind memory off",
    "overmind memory reindex",
    "overmind search --transcripts token",
    "overmind search token --transcripts",
    "overmind ps",
    "overmind send api x",
    "overmind --home /x remember y",
    "./overmind remember x",
]


@tabled("command", WITH_MEMORY)
def test_an_agent_with_memory_uses_notes_unasked(command):
    assert permits(command, Agent(), CWD, has_memory=True) == "memory"
    assert permits(command, Agent(), CWD) is None


@tabled("command", ASKED_WITH_MEMORY)
def test_what_is_no_plain_command_about_notes_is_asked(command):
    assert permits(command, Agent(), CWD, has_memory=True) is None


def test_an_orchestrator_with_memory_does_both_in_one_line():
    assert permits("overmind remember x; overmind ps", AGENT, CWD, has_memory=True) == "orchestrator"
    assert permits("overmind remember x; overmind ps", Agent(), CWD, has_memory=True) is None
