"""BYTES → CELLS: a terminal in memory, over pyte's tables; no process, no file, no clock."""
