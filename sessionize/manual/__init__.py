"""The manual: a file of Markdown a topic, in the order in which a newcomer would read them."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

TOPICS: Final[dict[str, str]] = {
    "questions": "ten questions to a log, ten commands, with what they print",
    "report": "a page to send: one file of HTML, or Markdown for a comment",
    "formats": "what a log may look like, how its columns are found, and what to type where they are not",
    "presets": "logs of known systems: trackers, web servers, clouds",
    "stores": "logs and outputs in object stores: s3://, gs://, abfss://",
    "cluster": "the same rows on Spark: how to submit, what the cluster must have",
    "rules": "where a session ends, and every option that changes it; columns of your own",
    "definitions": "other systems' rules: one log, everybody's numbers",
    "metrics": "what a run writes, what a row already tells, Tracardi's index",
    "nightly": "one batch after the other, exact across midnight; schedulers",
    "checks": "can the log be trusted? Bounds, baselines, reports for CI",
    "privacy": "hashed ids, shortened addresses",
    "python": "the call for frames, and the functions beside it",
    "recipes": "DuckDB, pandas and dbt on the output",
    "exit-codes": "what each exit code means, and what a failed run leaves",
    "speed": "what was measured, against what, on which machines",
}
"""Each topic with what it is about; ``reference`` beside them is made from the tables of the program."""


def topic(name: str) -> str:
    """The text of a topic.

    Args:
        name: One of `TOPICS`.
    """
    return (files(__name__) / f"{name}.md").read_text(encoding="utf-8")
