"""The lines that the program prints, with exactly the keys of the captured transcripts. Pure."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from tests.kit.standin import ids

VERSION = "2.1.332"
TOOLS = ("Task", "Bash", "Edit", "Read", "Write", "ExitPlanMode", "WebFetch")
PLUGINS = ("cc-plugin-agents-md", "cc-plugin-privacy", "cc-plugin-plugin-authoring")

Event = dict[str, Any]


class Events:
    """Builds lines for one conversation.

    Args:
        session_id: Of the conversation.
        model: What answers.
    """

    def __init__(self, session_id: str, model: str) -> None:
        self.session_id = session_id
        self.model = model

    def init(self, *, cwd: str, home: str, project: str, mode: str, key_source: str, asks: bool) -> Event:
        """The first line of a turn; `asks`: questions can be answered."""
        return {
            "type": "system", "subtype": "init", "cwd": cwd, "session_id": self.session_id,
            "tools": [*TOOLS, "AskUserQuestion"] if asks else list(TOOLS), "mcp_servers": [], "model": self.model,
            "permissionMode": mode, "slash_commands": ["clear", "compact"], "terminal_slash_commands": ["doctor"],
            "apiKeySource": key_source, "claude_code_version": VERSION, "output_style": "default",
            "agents": ["claude", "Explore", "general-purpose"], "skills": ["update-config"],
            "plugins": [{"name": name, "path": "builtin", "source": f"{name}@builtin"} for name in PLUGINS],
            "capabilities": ["interrupt_receipt_v1", "interrupt_cancel_queued_v1", "interrupt_send_now_v1"],
            "analytics_disabled": True, "product_feedback_disabled": True, "served_by_anthropic": False,
            "uuid": ids.uuid4(), "sandbox_enabled": False,
            "memory_paths": {"auto": f"{home}/.claude/projects/{project}/memory/"}, "original_cwd": cwd,
            "additional_directories": [], "messaging_socket_path": f"/tmp/cc-socks/{os.getpid()}.sock",
            "fast_mode_state": "off", "fast_mode_disabled_reason": "sdk_opt_in_required",
            "per_turn_effort_active": True, "ultrathink_available": False, "ultrathink_typed_raises": False,
            "view_mode": "default",
        }  # fmt: skip

    def assistant(self, message_id: str, block: Mapping[str, Any], tokens: int, **more: Any) -> Event:
        """One content block of the model's message."""
        message = {
            "id": message_id, "type": "message", "role": "assistant", "model": self.model, "content": [dict(block)],
            "stop_reason": None, "stop_sequence": None, "usage": message_usage(tokens), "context_management": None,
        }  # fmt: skip
        return self._said("assistant", message) | {"request_id": f"req_{message_id}"} | more

    def synthetic(self, words: str, **more: Any) -> Event:
        """What the program says in the model's place, about an error."""
        message = {
            "diagnostics": None, "id": ids.uuid4(), "container": None, "model": "<synthetic>", "role": "assistant",
            "stop_details": None, "stop_reason": "stop_sequence", "stop_sequence": "", "type": "message",
            "usage": {
                "output_tokens_details": None, "input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0, "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
                "service_tier": None,
                "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
                "inference_geo": None, "iterations": None, "speed": None, "fallback_credit": None,
            },
            "content": [{"type": "text", "text": words}], "context_management": None,
        }  # fmt: skip
        return self._said("assistant", message) | more

    def user(self, content: Sequence[Mapping[str, Any]], **more: Any) -> Event:
        """What goes to the model: a tool's result, or the note of an interruption."""
        return self._said("user", {"role": "user", "content": [dict(block) for block in content]}) | more

    def replay(self, content: Sequence[Mapping[str, Any]], uuid: str, *, timed: bool = True) -> Event:
        """The person's message as it was taken in; `timed`: as part of a turn."""
        event = {
            "type": "user", "message": {"role": "user", "content": [dict(block) for block in content]},
            "session_id": self.session_id, "parent_tool_use_id": None, "uuid": uuid,
        }  # fmt: skip
        return event | ({"timestamp": ids.now()} if timed else {}) | {"isReplay": True}

    def lifecycle(self, command: str, state: str) -> Event:
        """Where a message that came with a uuid is: queued, started, completed."""
        return {"type": "command_lifecycle", "command_uuid": command, "state": state} | self._tail()

    def system(self, subtype: str, **fields: Any) -> Event:
        """Any other line about the program itself."""
        return {"type": "system", "subtype": subtype, **fields} | self._tail()

    def rate_limit(self, info: Mapping[str, Any]) -> Event:
        """The limit of a subscription."""
        return {"type": "rate_limit_event", "rate_limit_info": dict(info)} | self._tail()

    def stream(self, message_id: str, event: Mapping[str, Any], **more: Any) -> Event:
        """A piece of a message, as the API sends it."""
        head = {"type": "stream_event", "event": dict(event), "session_id": self.session_id}
        tail = {"parent_tool_use_id": None, "uuid": ids.uuid4(), **more, "api_message_id": message_id}
        return head | tail

    def _said(self, role: str, message: Mapping[str, Any]) -> Event:
        return {
            "type": role, "message": dict(message), "parent_tool_use_id": None, "session_id": self.session_id,
            "uuid": ids.uuid4(), "timestamp": ids.now(),
        }  # fmt: skip

    def _tail(self) -> Event:
        return {"uuid": ids.uuid4(), "session_id": self.session_id}


def message_usage(tokens: int) -> Event:
    """Return the usage of a message that has begun; its output is not known yet."""
    return {
        "input_tokens": tokens,
        "output_tokens": 1,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }


def control_response(request_id: str, response: Mapping[str, Any]) -> Event:
    """The answer to a control request."""
    return {
        "type": "control_response",
        "response": {"subtype": "success", "request_id": request_id, "response": dict(response)},
    }


def control_error(request_id: str, message: str) -> Event:
    """The answer to a control request that is not understood."""
    return {
        "type": "control_response",
        "response": {
            "subtype": "error",
            "request_id": request_id,
            "error": message,
            "error_code": "unsupported_request",
        },
    }
