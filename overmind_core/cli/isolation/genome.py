"""The genome that an address names, fetched with the account's own git: what a person looks at before they trust it."""

from __future__ import annotations

from overmind_core import plan_file
from overmind_core.blueprint_file.genomes import read_genome
from overmind_core.cli import caller_environment
from overmind_core.domain.plans.genome import Genome, GenomeError, parse
from overmind_core.domain.text.problems import Problems
from overmind_core.errors import OvermindError


def fetched_genome(text: str) -> Genome:
    """Fetch and read what an address names.

    Raises:
        OvermindError: it can't be had, or holds no such agent.
    """
    try:
        address = parse(text, caller_environment.working_directory(None))
    except GenomeError as error:
        raise OvermindError("invalid", f"{error}.") from None
    try:
        fetched = plan_file.RealDisk().genome(address)
        return read_genome(address, fetched.commit, fetched.data).genome
    except GenomeError as error:
        raise OvermindError("invalid", f"{error}.") from None
    except Problems as wrong:
        line, column, message = wrong.problems[0]
        raise OvermindError("invalid", f"{address.place}:{line}:{column}: {message}.") from None
