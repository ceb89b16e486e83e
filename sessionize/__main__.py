"""Where the program begins: `sessionize` and `python -m sessionize`.

A signal can come while the first module is being loaded. So the first thing that is done, with what the interpreter has
in it, is to say how the process ends then; `sessionize.cli.main` takes over once it is there.
What comes before is the interpreter's own: SIGTERM ends it (143, as a shell has it), SIGINT is its own fatal error or
traceback.
"""

import _signal  # type: ignore[import-not-found]  # not `signal`, which loads others
import os


def _leave(number: int, _frame: object) -> None:
    os._exit(128 + number)


for _number in (_signal.SIGINT, _signal.SIGTERM):
    _signal.signal(_number, _leave)


def main() -> None:
    """Run the command line and exit."""
    from sessionize.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
