"""What the operator is told when no package can be made."""

from __future__ import annotations


class CannotPackage(Exception):
    """One sentence: what is wrong and what to do next."""
