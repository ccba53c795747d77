"""The MCP server: operations of the command line as tools, for agents that have no shell."""
