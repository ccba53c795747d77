"""Where readers of a blueprint write down what is wrong, so that all of it is told at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from overmind_core.blueprints.places import Path, Places
from overmind_core.domain.problems import Problem


@dataclass(slots=True)
class Notes:
    """What was found so far."""

    places: Places
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    """What is possible, but was probably meant otherwise."""

    def at(self, offset: int, message: str) -> None:
        """Something is wrong at a character."""
        self.problems.append(Problem(*self.places.position(offset), message))

    def at_key(self, path: Path, message: str) -> None:
        """Something is wrong with a key."""
        self.at(self.places.of_key(path), message)


@dataclass(frozen=True, slots=True)
class Spot:
    """A value of the file."""

    notes: Notes
    path: Path
    value: object

    @property
    def key(self) -> str:
        """The name that it goes by."""
        return next(str(part) for part in reversed(self.path) if isinstance(part, str))

    @property
    def offset(self) -> int:
        """Where it stands."""
        return self.notes.places.of_value(self.path)

    def wrong(self, message: str) -> None:
        """Something is wrong with it."""
        self.notes.at(self.offset, f"{self.key}: {message}")

    def wrong_inside(self, index: int, message: str) -> None:
        """Something is wrong with a part of this text; `index` is that of a character."""
        self.notes.at(self.notes.places.inside(self.path, index), f"{self.key}: {message}")

    def warn(self, message: str) -> None:
        """It is probably meant otherwise."""
        self.notes.warnings.append(Problem(*self.notes.places.position(self.offset), f"{self.key}: {message}"))

    def table(self) -> dict[str, Spot] | None:
        """What stands in it by its keys; None, and told, when it is no table."""
        if isinstance(self.value, dict):
            return {name: Spot(self.notes, (*self.path, name), value) for name, value in self.value.items()}
        self.wrong("write a table")
        return None

    def entries(self) -> list[Spot] | None:
        """What stands in it, in order; None when it is no list."""
        if not isinstance(self.value, list):
            return None
        return [Spot(self.notes, (*self.path, place), value) for place, value in enumerate(self.value)]

    def texts(self) -> list[Spot]:
        """The texts in it: itself, or those of a list or table."""
        if isinstance(self.value, dict):
            parts = [Spot(self.notes, (*self.path, name), value) for name, value in self.value.items()]
        else:
            parts = self.entries() or [self]
        return [part for part in parts if isinstance(part.value, str)]
