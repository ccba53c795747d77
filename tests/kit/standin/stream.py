"""Without a terminal: one prompt to its result, or lines of JSON both ways."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any, NoReturn

from tests.kit.standin import results
from tests.kit.standin.agent import Agent
from tests.kit.standin.conversation import Unknown
from tests.kit.standin.events import Event, control_error, control_response
from tests.kit.standin.options import Options, Refused
from tests.kit.standin.questions import Decision, Question, parse
from tests.kit.standin.world import World

PATIENCE = 3.0
"""Seconds that a prompt from the command line waits for more on an open stdin."""
FAILED = "Tool permission request failed: AbortError: "
_WITHOUT_READER = Decision("deny", "person", f"{FAILED}Tool permission stream closed before response received")
NO_INPUT = "Error: Input must be provided either through stdin or as a prompt argument when using --print"


class Lines:
    """Prints events as lines, and carries questions over the same pipes.

    Args:
        options: The command line.
    """

    def __init__(self, options: Options) -> None:
        self.can_ask = options.prompt_tool == "stdio"
        self.refusal = ""
        self._format = options.output_format
        self._replays = options.replay
        self._open: dict[str, Question] = {}
        self._lock = threading.RLock()
        self._gone = False

    def emit(self, event: Event) -> None:
        """Print a line, or of the other formats the result alone."""
        if self._format == "stream-json":
            self.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        elif event["type"] == "result":
            shown = json.dumps(event) if self._format == "json" else event.get("result") or ""
            self.write(shown.encode() + b"\n")

    def write(self, data: bytes) -> None:
        """Write all bytes; a reader that has gone is no reason to stop working."""
        with self._lock:
            while data and not self._gone:
                try:
                    data = data[os.write(1, data) :]
                except BrokenPipeError:
                    self._gone = True

    def mute(self) -> None:
        """Print no more."""
        self._gone = True

    def asked(self, question: Question) -> None:
        """Send the question; it is refused where the input ended after the asker had looked."""
        with self._lock:
            self._open[question.id] = question
            too_late = not self.can_ask
        told: dict[str, Any] = {"display_name": question.tool, "input": question.arguments}
        if "description" in question.arguments:
            told["description"] = question.arguments["description"]
        if question.suggestions:
            told["permission_suggestions"] = question.suggestions
        if question.path:
            told["blocked_path"] = question.path
        told["tool_use_id"] = question.tool_use_id
        if not question.suggestions:
            told["requires_user_interaction"] = True
        request = {"subtype": "can_use_tool", "tool_name": question.tool, **told}
        self.emit({"type": "control_request", "request_id": question.id, "request": request})
        if too_late:
            question.answer(_WITHOUT_READER)

    def settled(self, question: Question, decision: Decision) -> None:
        """Withdraw the question where somebody else has answered it."""
        if self._open.pop(question.id, None) and decision.by != "person":
            self.emit({"type": "control_cancel_request", "request_id": question.id})

    def closed(self) -> None:
        """Nobody can answer any more: what is asked, and what will be, is refused."""
        if not self.can_ask:
            return
        with self._lock:
            self.can_ask, self.refusal = False, FAILED + "Stream closed"
            asked = list(self._open.values())
        for question in asked:
            question.answer(_WITHOUT_READER)

    def answered(self, message: Event) -> None:
        """Take an answer, and repeat it where messages are; one for a question that is not open is ignored."""
        response = message["response"]
        question = self._open.get(response.get("request_id", ""))
        if question and question.open:
            if self._replays:
                self.emit(message)
            question.answer(parse(response.get("response", {}), "person"))

    def interrupted(self, request_id: str, agent: Agent) -> None:
        """Say that the turn will be stopped, and stop it; lines in the order of the real program."""
        with self._lock:
            for question in list(self._open.values()):
                self.settled(question, Decision("deny", "interrupt"))
            self.emit(control_response(request_id, {"still_queued": []}))
        agent.interrupt()


class Session:
    """Reads lines until the end of stdin."""

    def __init__(self, agent: Agent, lines: Lines) -> None:
        self._agent = agent
        self._lines = lines
        self._controls = {
            "interrupt": self._interrupt,
            "initialize": self._initialize,
            "set_permission_mode": self._set_mode,
            "set_model": self._set_model,
            "mcp_status": self._mcp_status,
        }

    def read(self) -> None:
        """Take every line; the end of stdin ends the prompts."""
        for line in sys.stdin.buffer:
            if line.strip():
                self._take(line)
        self._lines.closed()
        self._agent.close()

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            raise Refused(f"Error parsing streaming input line: {line!r}") from None
        if message.get("type") == "user":
            content = message["message"]["content"]
            blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
            self._agent.submit(blocks, message.get("uuid") or "")
        elif message.get("type") == "control_request":
            self._control(message["request_id"], message["request"])
        elif message.get("type") == "control_response":
            self._lines.answered(message)

    def _control(self, request_id: str, request: Mapping[str, Any]) -> None:
        known = self._controls.get(request["subtype"])
        if known:
            known(request_id, request)
        else:
            self._lines.emit(control_error(request_id, f"Unsupported control request subtype: {request['subtype']}"))

    def _interrupt(self, request_id: str, _: Mapping[str, Any]) -> None:
        self._lines.interrupted(request_id, self._agent)

    def _initialize(self, request_id: str, _: Mapping[str, Any]) -> None:
        world = self._agent.world
        answer = control_response(request_id, _INITIALIZED | {
            "pid": os.getpid(), "current_permission_mode": world.permissions.mode,
        })  # fmt: skip
        answer["response"] |= {"pending_permission_requests": [], "pending_user_dialog_requests": []}
        self._lines.emit(answer)

    def _set_mode(self, request_id: str, request: Mapping[str, Any]) -> None:
        world = self._agent.world
        world.permissions.mode = request["mode"]
        self._lines.emit(control_response(request_id, {"mode": request["mode"]}))
        self._lines.emit(world.events.system("status", status=None, permissionMode=request["mode"]))

    def _mcp_status(self, request_id: str, _: Mapping[str, Any]) -> None:
        self._lines.emit(control_response(request_id, {"mcpServers": []}))

    def _set_model(self, request_id: str, request: Mapping[str, Any]) -> None:
        self._agent.world.events.model = request["model"]
        self._lines.emit(control_response(request_id, {}))


def run(options: Options) -> int:
    """Run the program without a terminal, and return its exit code."""
    if options.output_format == "stream-json" and not options.verbose:
        raise Refused("Error: When using --print, --output-format=stream-json requires --verbose")
    lines = Lines(options)
    try:
        world = World(options, os.environ, "sdk-cli")
    except Unknown as unknown:
        lines.emit(results.no_conversation(unknown))
        raise Refused(str(unknown)) from None
    agent = Agent(world, lines)
    _handle_signals(agent, lines)
    try:
        _serve(options, agent, lines)
    except KeyboardInterrupt:
        agent.close()
        agent.interrupt()
        agent.join()
        agent.failed = False
    agent.leave("other")
    return int(agent.failed)


def _serve(options: Options, agent: Agent, lines: Lines) -> None:
    session = options.input_format == "stream-json"
    prompt = "" if session else _prompt(options)
    agent.start()
    if session:
        Session(agent, lines).read()
    else:
        agent.submit([{"type": "text", "text": prompt}])
        agent.close()
    agent.join()


def _prompt(options: Options) -> str:
    silent = options.prompt and not select.select([0], [], [], PATIENCE)[0]
    piped = "" if silent else sys.stdin.buffer.read().decode(errors="replace")
    prompt = "\n".join(part for part in (options.prompt, piped.strip()) if part)
    if not prompt:
        raise Refused(NO_INPUT)
    return prompt


def _handle_signals(agent: Agent, lines: Lines) -> None:
    def end(number: int, _: object) -> NoReturn:
        lines.mute()
        agent.leave("other")
        os._exit(128 + number)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)


_INITIALIZED: dict[str, Any] = {
    "commands": [{"name": "clear", "description": "Start a new conversation", "argumentHint": "", "builtin": True}],
    "agents": [{"name": "claude", "description": "Catch-all for any task that doesn't fit a more specific agent."}],
    "output_style": "default", "available_output_styles": ["default"], "user_output_styles_dir": "",
    "models": [{"value": "default", "resolvedModel": "claude-opus-5-5", "displayName": "Default (recommended)"}],
    "account": {"tokenSource": "none", "apiKeySource": "ANTHROPIC_API_KEY", "apiProvider": "firstParty"},
    "pid": 0, "claude_code_version": "2.1.332", "current_permission_mode": "default",
    "hook_on_failure_supported": True, "hooks_when_unanswered_kept": 0, "other_hook_ask_outranks_host": True,
    "feedback_mode": {"kind": "disabled"}, "analytics_disabled": True, "sandbox_enabled": False,
    "remote_control_auto_enable": False,
    "remote_control_auto_connect_default": False, "remote_control_available": False,
    "remote_control_auto_on_by_default": False, "ide_rc_auto_enable_gate": False, "fast_mode_state": "off",
    "fast_mode_disabled_reason": "sdk_opt_in_required", "session_state": "idle", "capabilities": ["ui_surface_v1"],
}  # fmt: skip
