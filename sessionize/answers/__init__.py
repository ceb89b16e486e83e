"""The commands for a shell: a log, or an earlier run's output, in; an answer as plain data out.

::

    log ── the engine ──► sessions, events ──┐
                                             ├── summary.overview, timeline, funnel, paths, silences ──► answer
    earlier run ── read_run ─► sessions, events
"""

from sessionize.answers.ask import SECTIONS, Answer, Ask, FunnelAsk, PathsAsk, ReportAsk, ShowAsk
from sessionize.answers.reports import report
from sessionize.answers.sequences import funnel, paths
from sessionize.answers.shown import show
from sessionize.answers.summaries import summary
from sessionize.answers.timeouts import timeout

__all__ = [
    "SECTIONS",
    "Answer",
    "Ask",
    "FunnelAsk",
    "PathsAsk",
    "ReportAsk",
    "ShowAsk",
    "funnel",
    "paths",
    "report",
    "show",
    "summary",
    "timeout",
]
