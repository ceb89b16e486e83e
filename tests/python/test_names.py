"""What `import sessionize` gives, and what it does not load."""

from __future__ import annotations

import pydoc
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import sessionize


def python(code: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_shows_every_public_name_with_what_it_does() -> None:
    text = pydoc.plain(pydoc.render_doc(sessionize))
    for name in ("sessionize", "summary", "funnel", "paths", "timeout", "compare", "check", "run", "run_night"):
        assert f"    {name}(" in text
    for name in ("Config", "Frames", "InputError", "Nightly", "Output", "Rules", "Table", "UsageError", "Verdict"):
        assert f"    class {name}" in text
    assert "Cut a log into sessions." in text
    assert dir(sessionize) == sorted(sessionize.__all__)


def test_every_public_name_says_what_it_is() -> None:
    for name in sessionize.__all__:
        assert (getattr(sessionize, name).__doc__ or "").strip(), name


def test_importing_loads_no_library(tmp_path: Path) -> None:
    code = "import sys, sessionize; print(sorted({'polars', 'numpy', 'pyarrow', 'typer', 'pandas'} & set(sys.modules)))"
    assert python(code, tmp_path) == "[]\n"


ORDERS = {
    "sessionize first": "import sessionize; import polars as pl",
    "polars first": "import polars as pl; import sessionize",
    "sessionize alone": "import sessionize; sessionize.Config; pl = __import__('polars')",
    "a part first": "import sessionize.summary.funnel, sessionize.compare.job; import polars as pl",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ORDERS)
def test_frames_have_the_namespace_whatever_is_imported_first(name: str, tmp_path: Path) -> None:
    code = (
        f"{ORDERS[name]}\n"
        "log = pl.DataFrame({'user_id': ['a'], 'time': ['2024-05-01']})\n"
        "print(log.sessionize().counts.sessions, log.lazy().sessionize(timeout=None).counts.sessions)\n"
        "import sessionize.summary.figures, sessionize.compare\n"
        "print(sessionize.summary(log).name, sessionize.compare(log, 'ours').name)\n"
        "from sessionize import compare, summary\n"
        "print(summary(log).name, compare(log, 'ours').name)\n"
    )
    assert python(code, tmp_path) == "1 1\nsummary compare\nsummary compare\n"


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match="module 'sessionize' has no attribute 'sesionize'"):
        sessionize.sesionize  # noqa: B018


@pytest.mark.parametrize(
    "use",
    [
        "import importlib.metadata; print(importlib.metadata.version('polars'))",
        "import importlib.metadata as there; print(there.version('polars')); there.PackageNotFoundError",
        "from importlib import metadata; print(metadata.version('polars'))",
        "from importlib.metadata import version; print(version('polars'))",
    ],
)
def test_a_module_that_is_loaded_late_is_as_ever(use: str, tmp_path: Path) -> None:
    late = "import sys; from sessionize.cli.late import Late; Late.stand_for('importlib.metadata')"
    assert python(f"{late}; assert 'email' not in sys.modules; {use}", tmp_path).strip() == metadata.version("polars")
