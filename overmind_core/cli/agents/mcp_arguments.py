"""A tool of the MCP server that says in a sentence which of its arguments is wrong, and refuses those that it has not.

The library would answer with its own report, of many lines and with addresses, and ignore arguments that it does not
know: somebody meant something by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, TextContent
from pydantic import ValidationError

_KINDS = {
    "string": "must be a string",
    "int": "must be a whole number",
    "float": "must be a number",
    "bool": "must be true or false",
    "list": "must be a list",
    "dict": "must be an object",
}
"""By the beginning of the library's word for a mistake."""
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


class StrictTool(Tool):
    """One tool."""

    def strictly(self) -> StrictTool:
        """Refuse arguments that it has not."""
        arguments = self.fn_metadata.arg_model
        arguments.model_config["extra"] = "forbid"
        arguments.model_rebuild(force=True)
        self.parameters = arguments.model_json_schema(by_alias=True)
        return self

    async def run(
        self,
        arguments: dict[str, Any],
        context: Context[Any, Any],
        convert_result: bool = False,  # noqa: FBT001, FBT002 - the library's own
    ) -> Any:  # noqa: ANN401  (each tool's own)
        """Run it, or say what is wrong with its arguments."""
        try:
            self.fn_metadata.validate_arguments(arguments)
        except ValidationError as error:
            mistakes = [_mistake(one, list(self.parameters.get("properties", {}))) for one in error.errors()]
            text = f"Error: invalid: {self.name}: {'; '.join(dict.fromkeys(mistakes))}"
            return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)
        return await super().run(arguments, context, convert_result)


def _mistake(error: Mapping[str, Any], known: list[str]) -> str:
    """One mistake, with the argument's name."""
    kind, place = str(error["type"]), error["loc"]
    name = str(place[0]) if place else "it"
    if kind == "too_short":
        return f"{name} is empty"
    if kind == "missing":
        return f"{name} is missing"
    if kind == "extra_forbidden":
        close = get_close_matches(name, known, 1)
        meant = f"did you mean {close[0]}?" if close else f"it takes {', '.join(known)}"
        return f"unknown argument {name}: {meant}"
    if kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        return f"{name} must be {word} {error['ctx'][key]}"
    if kind == "literal_error":
        return f"{name} must be one of {error['ctx']['expected']}"
    words = next((words for beginning, words in _KINDS.items() if kind.startswith(beginning)), None)
    return f"{name} {words}" if words else f"{name}: {str(error['msg']).removeprefix('Value error, ')}"
