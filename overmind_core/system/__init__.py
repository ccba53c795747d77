"""How the machine does it: one thing of the operating system per file."""
