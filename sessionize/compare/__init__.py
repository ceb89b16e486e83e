"""One log by several definitions of a session, in one reading."""

from sessionize.compare.asked import Asked
from sessionize.compare.job import SOURCE_ID, Compared, Row, compare

__all__ = ["SOURCE_ID", "Asked", "Compared", "Row", "compare"]
