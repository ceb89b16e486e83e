"""Where a thing lies: a folder of this machine, or an object store, asked in the same words.

`path_of` gives a path for what was typed: `pathlib.Path`, or a `StorePath` that answers to the same names. Readers and
writers take either and do not ask which. pyarrow.fs is loaded with the first URI that is used, never without one.
"""

from sessionize.stores.connect import StoreError
from sessionize.stores.content import Ranges, Stamp
from sessionize.stores.listing import (
    AnyPath,
    below,
    fetched,
    folders_among,
    identity,
    matches,
    opened,
    path_of,
    stamp_of,
    walk,
)
from sessionize.stores.path import StorePath

__all__ = [
    "AnyPath", "Ranges", "Stamp", "StoreError", "StorePath", "below", "fetched", "folders_among", "identity", "matches", "opened",
    "path_of", "stamp_of", "walk",
]  # fmt: skip
