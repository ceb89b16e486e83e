"""Make the picture of the first screen that the README shows: ``python sample_data/make_picture.py``.

A real run on the log that lies here, drawn by rich; the same log gives the same picture.
"""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from sessionize.answers import Ask, summary
from sessionize.cli.screens.summary import lines
from sessionize.cli.screens.text import Page
from sessionize.config import Config

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "sample_data" / "summary.svg"
LOG = "sample_data/events.csv"
WIDTH = 80


def picture() -> str:
    """The screen as SVG."""
    found = summary(Config(inputs=(str(ROOT / LOG),)), Ask())
    facts = {**found.facts, "inputs": [LOG]}
    console = Console(record=True, width=WIDTH, file=StringIO(), color_system="truecolor", force_terminal=True)
    console.print(Text(f"$ sessionize {LOG}"))
    for line in lines(found.data, facts, Page(WIDTH, blocks=True)):
        console.print(Text.assemble(*((cell.text, cell.style) for cell in line)))
    svg = console.export_svg(title="sessionize", unique_id="summary")
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # which would be fetched from the web


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
