"""Agents' programs that speak JSON-RPC over their pipes."""
