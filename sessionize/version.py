"""Which version this is, where the build reads it too: to ask the installed package's metadata takes far longer."""

__version__ = "0.1.0"
