"""From one text that was typed to paths: of a file, of the logs in a folder, of what a glob matches."""

from __future__ import annotations

import re
import shlex
from glob import has_magic

from sessionize.config import Config, InputFormat
from sessionize.errors import InputError, may_not_be_read
from sessionize.presets.recognise import by_lines
from sessionize.read.detect import BLANK
from sessionize.read.folders import in_order, is_beside, logs_in
from sessionize.read.formats import ENDINGS
from sessionize.read.nearest import there_is
from sessionize.read.passed_over import PassedOver
from sessionize.read.probe import HEAD, probed
from sessionize.read.rotated import ending
from sessionize.read.shown import shown_folder, shown_path
from sessionize.read.source import Empty, unreadable
from sessionize.read.tables import check_in_no_table
from sessionize.stores import AnyPath, folders_among, matches, path_of


def paths_of(text: str, config: Config, passed: list[PassedOver]) -> list[AnyPath]:
    """Files of a folder, of a glob (of the folders it matches, too), or the one that is named.

    Args:
        text: What was typed.
        config: What was asked for.
        passed: Takes what is found and not read.

    Raises:
        InputError: If a folder has no log or is a table's, or a glob matches nothing.
    """
    path = path_of(text)
    is_folder = path.is_dir()  # asked first: where a store fails, this is what was typed
    check_in_no_table(path)
    if is_folder:
        paths = _logs_in(path, config, passed)
        if not paths:
            there = sorted(each.name for each in path.iterdir())
            if there and not config.hash_key and all(name.startswith(".") for name in there):
                raise InputError(
                    f"{shown_folder(text, config)}: all in this folder is hidden",
                    hint=f"what is hidden is read by its name: {shlex.quote(text.rstrip('/') + '/' + there[0])}",
                )
            by_glob = "" if config.hash_key else f"; others are read by a glob: {shlex.quote(text.rstrip('/') + '/*')}"
            raise InputError(
                f"{shown_folder(text, config)}: no log in this folder",
                hint=f"logs end in {', '.join(ENDINGS)}, maybe with .gz or .zst{by_glob}",
            )
        return paths
    return [path] if not has_magic(text) or path.exists() else _matched(text, config, passed)


def _matched(text: str, config: Config, passed: list[PassedOver]) -> list[AnyPath]:
    """Files that a glob matches, and the logs in the folders that it does."""
    paths: list[AnyPath] = []
    try:
        found = matches(text)
    except InputError as error:
        raise may_not_be_read(shown_folder(text, config)) if config.hash_key else error from None
    for match in {match.parent: match for match in found}.values():
        check_in_no_table(match)
    folders = folders_among(found)
    for match in found:
        if match in folders:
            paths += _logs_in(match, config, passed)
        elif why := is_beside(match):
            passed.append(PassedOver(shown_path(str(match), config), why))
        else:
            paths.append(match)
    if not paths:
        raise InputError(
            f"{shown_folder(text, config)}: no file matches", hint=None if config.hash_key else there_is(text)
        )
    return in_order(paths)


def _logs_in(folder: AnyPath, config: Config, passed: list[PassedOver]) -> list[AnyPath]:
    """Logs in a folder: a file whose name says nothing is one where its content looks like one."""
    found, beside = logs_in(folder)
    passed += [each._replace(path=shown_path(each.path, config)) for each in beside]
    named = {kind for path in found if (kind := ENDINGS.get(ending(path.name)))}
    paths = []
    for path in found:
        if ending(path.name) not in ENDINGS and (why := _why_no_log(path, config, named)):
            passed.append(PassedOver(shown_path(str(path), config), why))
        else:
            paths.append(path)
    return paths


def _why_no_log(path: AnyPath, config: Config, named: set[InputFormat]) -> str:
    """Why a file without a log's ending is not read, by its content; empty where it may be a log."""
    try:
        source = probed(str(path), path.name, config)
        with unreadable(path.name), source.open() as file:
            head = file.read(HEAD).strip(BLANK)
    except Empty:
        return ""
    except InputError as error:
        return str(error).removeprefix(f"{path.name}: ")
    kind = source.file.format
    if named and kind not in named:
        return f"no {' or '.join(sorted(named))}, as the others are"
    has_rows = kind != "csv" or config.preset is not None or re.match(rb"[^\n]*[,;\t|\x01#]", head)
    return "" if has_rows or config.delimiter or _is_known(head) else "its first line has no separator"


def _is_known(head: bytes) -> bool:
    """Whether the first lines have the form of a known layout; the last one may be cut."""
    lines = head.decode("utf-8", "replace").splitlines()
    return bool(by_lines([line for line in lines[:-1] or lines if line.strip()]))
