"""How reading tells how far it is."""

from collections.abc import Callable

Report = Callable[[str, int, int], None]
"""Told (stage, done, total) between two steps; what it raises ends the reading."""
