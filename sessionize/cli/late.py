"""A module that others import as they start, and seldom need: it is loaded when something in it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class Late(ModuleType):
    """Stands for a module until something in it is asked for."""

    @classmethod
    def stand_for(cls, name: str) -> None:
        """Stand for a module, if it is not loaded."""
        if name not in sys.modules:
            package, _, own = name.rpartition(".")
            late = sys.modules[name] = cls(name)
            setattr(sys.modules[package], own, late)

    def __getattr__(self, name: str) -> Any:
        """What the module has of the name; it is loaded now."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)
