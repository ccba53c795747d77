"""A stylesheet that is parsed once per theme: Textual does it twice before the first frame, and for each new screen."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class Sheet(Stylesheet):
    """Parses anew only what the same variables have not been in yet."""

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._differs = False

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take other variables; the same ones leave everything parsed as it is."""
        if variables != self._variables:
            self._differs = True
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse with other variables; what was added since is parsed when it is asked for."""
        if self._differs:
            super().reparse()
            self._differs = False
