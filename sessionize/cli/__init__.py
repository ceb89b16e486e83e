"""The command line: `sessionize.cli.main` is its way in and out. Nothing is loaded here: the start must be short."""


def main() -> None:
    """Run the command line and exit: what scripts call that were installed before `sessionize.__main__` was there."""
    from sessionize.__main__ import main as begin

    begin()
