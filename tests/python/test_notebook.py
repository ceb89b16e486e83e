"""The notebook that lies beside the sample does what it shows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from console import SAMPLE

NOTEBOOK = SAMPLE / "first_look.ipynb"


def test_its_cells_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(SAMPLE / "events.parquet", tmp_path)
    monkeypatch.chdir(tmp_path)
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    there: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), there)  # noqa: S102 - the notebook is our own
    assert there["made"].counts.sessions == 658
    assert capsys.readouterr().out.startswith("timeout '45' says no unit - did you mean timeout=\"45m\"")
    assert all(not cell.get("outputs") for cell in cells)


@pytest.mark.slow
def test_a_notebook_shows_tables(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="pip install 'sessionize[frames]'")
    nbclient = pytest.importorskip("nbclient", reason="pip install 'sessionize[frames]'")
    pytest.importorskip("ipykernel", reason="pip install 'sessionize[frames]'")
    shutil.copy(SAMPLE / "events.parquet", tmp_path)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}, timeout=120).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in shown if output.output_type == "error"]
    tables = [output.data["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert len(tables) == 5
    assert "658 sessions of 88 profiles, 2,938 events, 2 rejected" in tables[0]
