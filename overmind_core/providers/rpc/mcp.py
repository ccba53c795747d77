"""Servers of tools (MCP) for programs that are told of them in JSON-RPC, as `--mcp-config` names them for claude."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.providers.lines import Object, one_line, read_object, text_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

STDIO, HTTP, SSE = "stdio", "http", "sse"
NO_SERVERS = "mcp_config"
"""The reason of a run whose servers can't be used."""
_OPTION = "--mcp-config"
_SHAPE = '{"mcpServers": {"NAME": {"command": "…", "args": []}}}'
_NAME_WIDTH = 100
"""Characters of a server's name in a sentence."""


class McpServer(NamedTuple):
    """A server, as a program that is started, or at an address."""

    name: str
    kind: str
    command: str = ""
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def is_json(config: str) -> bool:
    """Return whether servers are named by a text of JSON, and not by the path of a file."""
    return config.lstrip().startswith("{")


def wrong_texts(configs: Sequence[str]) -> list[str]:
    """Return what is wrong with those that are JSON; files are read as a run begins, and may be made until then."""
    found = []
    for config in filter(is_json, configs):
        try:
            list(_servers(config.encode("utf-8", "replace"), _OPTION))
        except ValueError as error:
            found.append(str(error))
    return found


def read_servers(configs: Sequence[str], read: Callable[[str], bytes | None]) -> list[McpServer]:
    """Return the servers of these files, or texts of JSON; a later one of a name takes the place of an earlier one.

    Args:
        configs: Paths, in wire form, and texts.
        read: As that of `ConnectionRequest`.

    Raises:
        ValueError: One can't be read, or says something else; the text names it and says why.
    """
    found: dict[str, McpServer] = {}
    for config in configs:
        name = _OPTION if is_json(config) else f"{_OPTION} {config}"
        try:
            data = config.encode("utf-8", "replace") if is_json(config) else read(config)
        except OSError as error:
            raise ValueError(f"{name}: {error.strerror}") from None
        if data is None:
            raise ValueError(f"{name}: there is no such file")
        found |= {server.name: server for server in _servers(data, name)}
    return list(found.values())


def _servers(data: bytes, name: str) -> Iterator[McpServer]:
    told = read_object(data)
    servers = None if isinstance(told, str) else told.get("mcpServers")
    if not isinstance(servers, dict):
        raise ValueError(f"{name}: it is not JSON of the form {_SHAPE}")  # noqa: TRY004 - as all that is wrong here
    for one, table in servers.items():
        try:
            yield _server(one, table)
        except ValueError as error:
            raise ValueError(f"{name}: {one_line(one, _NAME_WIDTH)}: {error}") from None


def _server(name: str, table: object) -> McpServer:
    if not isinstance(table, dict):
        raise ValueError("it is not a table")  # noqa: TRY004 - as above
    kind = table.get("type", HTTP if "url" in table else STDIO)
    kind = {"streamable-http": HTTP, "local": STDIO}.get(kind, kind) if isinstance(kind, str) else None
    if kind not in {STDIO, HTTP, SSE}:
        raise ValueError(f"its type is {STDIO}, {HTTP} or {SSE}")
    if kind == STDIO:
        arguments = table.get("args", [])
        if not text_at(table, "command") or not _are_texts(arguments):
            raise ValueError("it needs a command, and args as a list of texts")
        return McpServer(name, kind, text_at(table, "command"), tuple(arguments), _texts(table, "env"))
    if not text_at(table, "url"):
        raise ValueError("it needs a url")
    return McpServer(name, kind, url=text_at(table, "url"), headers=_texts(table, "headers"))


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)


def _texts(table: Object, key: str) -> tuple[tuple[str, str], ...]:
    found = table.get(key, {})
    if not isinstance(found, dict) or not _are_texts([*found.values()]):
        raise ValueError(f"{key} is a table of texts")
    return tuple(found.items())
