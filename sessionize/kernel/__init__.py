"""The kernel: a pure function of (events, plan). It knows no files, no terminal, no clock.

::

    raw rows ── normalise ──► events, rejected ── sessionize ──► wide rows ── stamped, records ──► output
               row-local                         key-local                  row by row, watermark given
"""

from sessionize.kernel.normalise import normalise
from sessionize.kernel.sessions import Sessionized, sessionize
from sessionize.kernel.wide import stamped

__all__ = ["Sessionized", "normalise", "sessionize", "stamped"]
