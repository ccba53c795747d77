"""Agents: conversations, questions, budgets."""
