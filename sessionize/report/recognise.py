"""Whether a file is a report that was written before: only such a file is replaced by a new one."""

from __future__ import annotations

from typing import Final

from sessionize.output.one_file import begins_with
from sessionize.report.html import BEGINNING as PAGE
from sessionize.report.markdown import BEGINNING as TEXT

is_report: Final = begins_with(PAGE.encode(), TEXT.encode())
