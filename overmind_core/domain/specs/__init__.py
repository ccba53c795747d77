"""Specs: five documents that lead from a question to tasks, what each must hold, and how far a spec has come."""
