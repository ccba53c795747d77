"""Who owns the agents: children, terminals, exit codes and log files."""
