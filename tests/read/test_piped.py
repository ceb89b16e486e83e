"""What is typed to convert a file: in a shell, as it stands, and for a compressed file as for a plain one."""

from __future__ import annotations

import bz2
import gzip
import re
import shutil
import subprocess
import zipfile
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


def archives(folder: Path) -> dict[str, bytes]:
    log = folder / "log.csv"
    log.write_text("session_id,timestamp\ns1,2024-05-30 10:00:00\n")
    with zipfile.ZipFile(folder / "a.zip", "w") as packed:
        packed.write(log, "log.csv")
    subprocess.run(["tar", "-cf", "a.tar", "log.csv"], cwd=folder, check=True)
    tar = (folder / "a.tar").read_bytes()
    return {
        "zip": (folder / "a.zip").read_bytes(), "tar": tar, "tgz": gzip.compress(tar), "bz2": bz2.compress(log.read_bytes()),
        "tar.zst": zstd(tar),
    }  # fmt: skip


@pytest.mark.skipif(shutil.which("funzip") is None or shutil.which("zstd") is None, reason="needs funzip and zstd")
@pytest.mark.parametrize("kind", ["zip", "tar", "tgz", "bz2", "tar.zst"])
def test_what_unpacks_an_archive_that_is_piped_in_reads_it_from_there(kind: str, tmp_path: Path) -> None:
    content = archives(tmp_path)[kind]
    said = sessionize("run", "-", "-o", "out", cwd=tmp_path, stdin=content)
    command = " ".join(said.err.rpartition("hint: ")[2].split()).partition(" | sessionize run - …")[0]
    done = subprocess.run(["bash", "-c", f"cat | {command}"], input=content, capture_output=True, check=False)
    assert done.stdout == (tmp_path / "log.csv").read_bytes(), (command, done.stderr)


@pytest.mark.parametrize(("mark", "tool"), [
    (b"7z\xbc\xaf\x27\x1c", "7z x -so A.7z"), (b"Rar!\x1a", "unrar p -inul A.rar"), (b"SQLite format 3\0", "-csv A.db"),
])  # fmt: skip
def test_what_can_be_read_from_a_file_only_is_to_be_written_to_one(mark: bytes, tool: str, tmp_path: Path) -> None:
    said = sessionize("run", "-", "-o", "out", cwd=tmp_path, stdin=mark.ljust(600, b"x"))
    assert "write it to a file first" in said.err
    assert tool in " ".join(said.err.split())
