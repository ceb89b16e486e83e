"""A page worth sending: what `sessionize.answers.report` found, as sections, and these as HTML or Markdown.

::

    Answer ──► content: sections of cards, tables, charts (parts) ──► html (elements, charts, style.css)
                                                                 └──► markdown
"""

from sessionize.report.content import report_of
from sessionize.report.html import as_html
from sessionize.report.markdown import as_markdown
from sessionize.report.recognise import is_report

__all__ = ["as_html", "as_markdown", "is_report", "report_of"]
