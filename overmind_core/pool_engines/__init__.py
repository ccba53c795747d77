"""Engines that give machines to a pool: Slurm, Ray, Kubernetes, and a person's own commands."""
