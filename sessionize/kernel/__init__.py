"""The kernel: a pure function of (events, plan). It knows no files, no terminal, no clock.

::

    raw rows ── normalise ──► events, rejected ── sessionize ──► sessions ── described, stamped ──► output
               row-local                         key-local                  row by row, watermark given
"""

from sessionize.kernel.closed import split_closed
from sessionize.kernel.describe import described, is_active, stamped
from sessionize.kernel.dictionaries import Dictionaries, as_text
from sessionize.kernel.normalise import normalise
from sessionize.kernel.sessions import Sessionized, in_key_order, sessionize

__all__ = [
    "Dictionaries", "Sessionized", "as_text", "described", "in_key_order", "is_active", "normalise", "sessionize", "split_closed", "stamped",
]  # fmt: skip
