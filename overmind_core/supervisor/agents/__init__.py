"""Agents: conversations, messages, questions, and what an agent is doing."""
