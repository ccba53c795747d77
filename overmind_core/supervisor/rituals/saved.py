"""Rituals and their runs as the store holds them: JSON of the values of the domain."""

from __future__ import annotations

import msgspec

from overmind_core.domain.ritual import OPEN, Ritual, RitualRun
from overmind_core.store.rituals import StoredRun

_encode = msgspec.json.Encoder().encode
_ritual = msgspec.json.Decoder(Ritual).decode
_run = msgspec.json.Decoder(RitualRun).decode


def encode(ritual: Ritual) -> str:
    """As it is stored."""
    return _encode(ritual).decode()


def ritual(text: str) -> Ritual:
    """What `encode` made of one."""
    return _ritual(text)


def run_row(run: RitualRun) -> StoredRun:
    """As it is stored."""
    return StoredRun(run.ritual, run.number, run.status in OPEN, _encode(run).decode())


def run(text: str) -> RitualRun:
    """What `run_row` made of one."""
    return _run(text)
