"""The Python call: any frame or log in, frames out; the command line's options as keywords.

::

    data ── data.py ──► paths or a Polars frame ──┐
                                                  ├── Config ──► api, answers, compare, checks ──► results
    keywords ── keywords.py ──► what was typed ───┘
                                       errors in Python's own names: words.py

It lies above the command line, as that has the one table of options: their names, kinds, defaults and what they mean.

Nothing is loaded with the package itself: Polars' namespace is registered whoever imports Polars, the command line too.
"""
