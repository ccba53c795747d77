"""The command line: argparse, JSON and a socket."""
