"""Errors as a caller in Python meets them: whatever they are made of, in his words, and the same in another process."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from console import SAMPLE
from console import sessionize as typed

import sessionize
from sessionize import SessionizeError
from sessionize.python.words import translated
from sessionize.stores.connect import StoreError
from sessionize.summary.expressions import ValueRefusedError

ROWS = "s1,2024-05-30 10:00:00,/a\ns1,2024-05-30 10:01:00,/b\n"
HEADER = "session_id,timestamp,page\n"
SAID = {
    "a file without a header": ({"b.csv": ROWS}, {}, 'columns=["user_id", "timestamp", "page"]'),
    "one of several without a header": (
        {"a.csv": HEADER + ROWS, "b.csv": ROWS}, {}, 'columns=["session_id", "timestamp", "page"] names them in all files',
    ),
    "a file of another layout": ({"a.csv": HEADER + ROWS}, {"preset": "combined"}, 'preset="none" reads it as a CSV'),
}  # fmt: skip


@pytest.mark.parametrize("call", [sessionize.sessionize, sessionize.summary, sessionize.check])
@pytest.mark.parametrize(("files", "keywords", "hint"), SAID.values(), ids=SAID.keys())
def test_what_is_wrong_with_a_log_is_an_error_of_the_package_whose_hint_is_python(
    files: dict[str, str], keywords: dict[str, Any], hint: str, call: Callable[..., Any], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(SessionizeError) as raised:
        call(tmp_path, **keywords)
    assert hint in str(raised.value.hint)


@pytest.mark.parametrize("error", [
    SessionizeError("a"), sessionize.UsageError("a", hint="b"), StoreError("s3://a", "gone", "run again"),
    ValueRefusedError("a", hint="b"),
])  # fmt: skip
def test_an_error_is_the_same_in_another_process_and_in_other_words(error: SessionizeError) -> None:
    def sent(one: SessionizeError) -> SessionizeError:
        return cast("SessionizeError", pickle.loads(pickle.dumps(one)))  # noqa: S301 - made here

    told = translated(error)
    for each in (sent(error), told, sent(told)):
        assert (type(each), str(each), each.hint, each.exit_code) == (
            type(error),
            error.message,
            error.hint,
            error.exit_code,
        )
    assert getattr(sent(told), "__notes__", []) == ([f"hint: {error.hint}"] if error.hint else [])


ASKED: dict[str, tuple[Callable[..., Any], dict[str, Any], str]] = {
    "the option as": (sessionize.compare, {"as": "ga4"}, "did you mean as_?"),
    "what the option as names": (sessionize.compare, {"definition": "ga4"}, "did you mean as_?"),
    "the option from": (sessionize.paths, {"from": "/a"}, "did you mean from_?"),
    "two groups": (sessionize.summary, {"by": "event_type,day"}, "one column, or one expression of SQL"),
    "a text of NumPy's": (sessionize.sessionize, {"until": np.str_("x")}, "for example until="),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_of_a_call_in_another_way_is_told_in_its_own(name: str) -> None:
    call, keywords, hint = ASKED[name]
    with pytest.raises(SessionizeError) as raised:
        call(SAMPLE / "events.csv", **keywords)
    assert hint in str(raised.value.hint)
    assert "str_" not in str(raised.value)


def test_the_output_of_an_earlier_run_is_told_as_that(tmp_path: Path) -> None:
    assert typed("run", SAMPLE / "events.csv", "-o", "out", cwd=tmp_path).code == 0
    with pytest.raises(SessionizeError, match="is the output of an earlier run, no log"):
        sessionize.sessionize(tmp_path / "out")
