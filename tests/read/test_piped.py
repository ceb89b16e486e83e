"""What is typed to convert a file: in a shell, as it stands, and for a compressed file as for a plain one."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from console import sessionize

EVENT = '{"session_id":"s1","timestamp":"2024-05-30T10:00:00Z"}'
OF_NO_FORM = {
    "an array": ("a log.json", f"[{EVENT}]\n".encode()),
    "over several lines": ("log.json", f'{{\n"session_id":"s1",\n{EVENT[19:]}\n'.encode()),
    "with no line break between": ("log.json", f"{EVENT}{EVENT}\n".encode()),
    "a text sequence": ("log.json", f"\x1e{EVENT}\n\x1e{EVENT}\n".encode()),
    "rows inside one object": ("log.json", f'{{"n":1,"events":[{EVENT}]}}\n'.encode()),
    "UTF-16": ("log.csv", "session_id,timestamp\ns1,2024-05-30 10:00:00\n".encode("utf-16")),
    "a header in Latin-1": ("log.csv", "session_id,timestamp,prénom\ns1,2024-05-30 10:00:00,x\n".encode("latin-1")),
    "carriage returns between fields": ("log.csv", b"session_id,timestamp,a\rb\ns1,2024-05-30 10:00:00,x\n"),
    "a line with a byte of Latin-1": ("log.csv", b"session_id,timestamp\ns\xe91,2024-05-30 10:00:00\n"),
    "fields between '::'": ("log.csv", b"session_id::timestamp\ns1::2024-05-30 10:00:00\n"),
}


def zstd(content: bytes) -> bytes:
    return subprocess.run(["zstd", "-c"], input=content, capture_output=True, check=True).stdout


PACK: dict[str, Callable[[bytes], bytes]] = {"": lambda content: content, ".gz": gzip.compress, ".zst": zstd}
COMMAND = re.compile(r"((?:zcat|zstdcat|jq|iconv|tr|sed) .*?)(?: \| sessionize run - …| > \S+\.utf8|; as it is|$)")


@pytest.mark.skipif(shutil.which("jq") is None or shutil.which("zstd") is None, reason="needs jq and zstd")
@pytest.mark.parametrize("kind", OF_NO_FORM)
@pytest.mark.parametrize("packed", PACK)
def test_what_converts_a_file_can_be_typed_and_a_compressed_one_is_unpacked_first(
    kind: str, packed: str, tmp_path: Path
) -> None:
    name, content = OF_NO_FORM[kind]
    (tmp_path / f"{name}{packed}").write_bytes(PACK[packed](content))
    said = sessionize("run", f"{name}{packed}", "-o", "out", cwd=tmp_path)
    assert said.code in {2, 3}, said.err
    found = COMMAND.search(" ".join(said.err.rpartition("hint: ")[2].split()))
    assert found is not None, said.err
    command = found[1].replace("FILE", name)  # a plain file's name is not known everywhere
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    (tmp_path / "converted").write_bytes(done.stdout)
    again = sessionize("run", "converted", "-o", "out", cwd=tmp_path)
    assert again.code == 0, again.err


@pytest.mark.parametrize(("content", "command"), [(f"\x1e{EVENT}\n", "hint: tr -d '\\036' | sessionize run")])
def test_what_is_piped_in_is_converted_in_the_pipe(content: str, command: str, tmp_path: Path) -> None:
    said = sessionize("run", "-", "-o", "out", cwd=tmp_path, stdin=content.encode())
    assert command in said.err
