"""Print the shape of the source."""

from __future__ import annotations

import sys

from scripts.house.figures import report

sys.stdout.write(report())
