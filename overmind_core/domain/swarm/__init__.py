"""The rules of the swarm: machines that share their work; pure."""
