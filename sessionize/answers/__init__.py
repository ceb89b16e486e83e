"""The commands for a shell: a log, or an earlier run's output, in; an answer as plain data out.

::

    log ── the engine ──► sessions, events ──┐
                                             ├── summary.overview, timeline, funnel, paths, silences ──► answer
    earlier run ── read_run ─► sessions, events
"""

from sessionize.answers.ask import Answer, Ask, FunnelAsk, PathsAsk, ShowAsk
from sessionize.answers.jobs import funnel, paths, show, summary
from sessionize.answers.timeouts import timeout

__all__ = ["Answer", "Ask", "FunnelAsk", "PathsAsk", "ShowAsk", "funnel", "paths", "show", "summary", "timeout"]
