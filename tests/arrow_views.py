"""Texts as views of Arrow in Parquet files, which not every pyarrow that the program takes can write."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def _are_written() -> bool:
    try:
        pq.write_table(pa.table({"text": pa.array(["a"], pa.string_view())}), BytesIO())
    except pa.ArrowNotImplementedError:
        return False
    return True


WRITTEN: Final = _are_written()
needed = pytest.mark.skipif(not WRITTEN, reason=f"pyarrow {pa.__version__} writes no string_view to Parquet")
