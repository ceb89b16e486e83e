"""One log by several definitions of a session, in one reading."""

from sessionize.compare.candidate import Candidate
from sessionize.compare.job import SOURCE_ID, Compared, Row, compare

__all__ = ["SOURCE_ID", "Candidate", "Compared", "Row", "compare"]
