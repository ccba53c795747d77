"""Containers of one mission alone, through the SDK of Docker, which speaks to Podman's socket as well."""
