"""Kinds of pages: table, text, dialog."""
