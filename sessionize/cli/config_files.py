"""What configuration files are called: known before anything else is loaded."""

from typing import Final

FILE_NAMES: Final = ("sessionize.toml", "pyproject.toml")
