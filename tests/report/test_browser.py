"""The page in a real browser: nothing is asked for, nothing is said, nothing runs. Skipped where there is no Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from pages import hostile_log, page_of

CHROMIUM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-extensions", "--enable-logging=stderr", "--virtual-time-budget=2000",
)  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")


class Looked(NamedTuple):
    """What a browser made of a page.

    Attributes:
        said: What its console said.
        asked: What it asked for, beside the page.
        page: The page as it stands when all has run.
    """

    said: list[str]
    asked: list[str]
    page: str


def looked(page: Path) -> Looked:
    """Open a page in a browser."""
    log = page.with_suffix(".netlog.json")
    folder = page.parent / "browser"
    options = (*QUIET, f"--user-data-dir={folder}", f"--log-net-log={log}", "--dump-dom", page.as_uri())
    done = subprocess.run([str(CHROMIUM), *options], capture_output=True, text=True, timeout=120, check=True)
    said = re.findall(r"CONSOLE.*", done.stderr)
    found = json.loads(log.read_text(encoding="utf-8"))
    urls = {event["params"]["url"] for event in found["events"] if "url" in event.get("params", {})}
    return Looked(said, sorted(url for url in urls if "example" in url), done.stdout)


@pytest.mark.slow
def test_a_hostile_page_runs_nothing_says_nothing_and_asks_for_nothing(tmp_path: Path) -> None:
    page = page_of(
        tmp_path, hostile_log(tmp_path), "--by", "channel", "--step", "page:/*", "--title", "<script>alert(1)</script>"
    )
    found = looked(tmp_path / "page.html")
    assert found.said == []
    assert found.asked == []
    assert "<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>" in found.page
    assert found.page.count("<rect") == page.count("<rect")


@pytest.mark.slow
def test_what_would_run_or_be_asked_for_is_noticed_and_the_policy_forbids_it(tmp_path: Path) -> None:
    page = page_of(tmp_path, hostile_log(tmp_path))
    inside = '<img src="http://127.0.0.1:9/example.png"><script>console.log(1)</script><p style="color:red">'
    broken = tmp_path / "broken.html"
    broken.write_text(page.replace("<main", f"{inside}<main"), encoding="utf-8")
    found = looked(broken)
    assert found.asked == []
    assert len([line for line in found.said if "Content Security Policy" in line]) == 3
    without = tmp_path / "without.html"
    policy = re.compile('<meta [^>]*http-equiv="Content-Security-Policy"[^>]*>')
    without.write_text(policy.sub("", broken.read_text(encoding="utf-8")), encoding="utf-8")
    found = looked(without)
    assert found.asked == ["http://127.0.0.1:9/example.png"]
    assert [line for line in found.said if '"1"' in line]
