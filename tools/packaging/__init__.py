"""The package that Azure runs. ``tools/package.py`` is the command."""
