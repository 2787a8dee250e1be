"""The one way in which the local host says that it cannot start."""


class CannotStart(Exception):
    """One sentence for the person at the terminal: what is wrong and what to do next. The process ends with code 2."""
