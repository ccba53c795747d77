"""Agents: conversations, questions, permissions. Pure."""
