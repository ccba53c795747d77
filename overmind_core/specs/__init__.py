"""Specs: documents that agents write one after the other, and the quests that their tasks become."""
