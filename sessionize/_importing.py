"""What happens as the package is imported, with nothing loaded for it: names that stay, and Polars' namespace in its time."""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from typing import Any


class Package(ModuleType):
    """The package, in which a function keeps its name though a part of the package has it, too.

    An import of ``sessionize.summary.figures`` would else put the part in the place of the function.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in self.__dict__.get("_HOMES", ())):
            super().__setattr__(name, value)


class AfterPolars:
    """Registers the namespace of frames when Polars has been imported: by us, or by whoever comes first."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where Polars is, to be loaded as ever, and what is to be done then; None for any other module."""
        if name != "polars":
            return None
        sys.meta_path.remove(cls)
        found = (finder.find_spec(name, path, target) for finder in sys.meta_path)
        spec = next((each for each in found if each is not None), None)
        loader: Any = None if spec is None else spec.loader
        if loader is None:
            return spec
        execute = loader.exec_module

        def executed(module: ModuleType) -> None:
            del loader.exec_module
            execute(module)
            register()

        loader.exec_module = executed
        return spec


def register() -> None:
    """Give Polars' frames the namespace."""
    from sessionize.python.namespace import register as registered

    registered()


def when_polars_is_there() -> None:
    """Register the namespace now, or as soon as Polars is imported."""
    if "polars" in sys.modules:
        register()
    else:
        sys.meta_path.insert(0, AfterPolars)
