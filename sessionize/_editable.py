"""What the build system does for an editable installation (`pip install -e`): no other module is loaded by it."""

from __future__ import annotations

import compileall
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Compiled(BuildHookInterface[Any]):
    """Compiles the modules where they lie, as an installer does with those that it copies.

    Where Python may write no bytecode (``PYTHONDONTWRITEBYTECODE``, as in many containers), each start of the command
    would compile them again, which takes longer than a small log. Of a module that was changed since, the source holds.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's signature
        """Before the wheel is built, which for an editable installation only says where the modules lie."""
        if version == "editable":
            compileall.compile_dir(
                Path(self.root, "sessionize"), quiet=2
            )  # where it cannot be written, nothing is lost
