"""Logs read by pages, from the disk, when they are looked at: a million lines cost what a screen of them does."""
