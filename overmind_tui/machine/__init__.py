"""The machine around the program: other programs, the clipboard, folders."""
