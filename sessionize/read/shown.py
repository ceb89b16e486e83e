"""Paths as they may be shown and kept: where ids are hashed, so are those that stand in the names of folders."""

from __future__ import annotations

import os
from urllib.parse import quote, unquote

from sessionize import schema
from sessionize.config import Config
from sessionize.kernel.privacy import digest
from sessionize.kernel.references import roots

DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""Value of a folder that stands for null, as Hive has it."""


def shown_path(path: str, config: Config) -> str:
    """A path as text that can be written: bytes of a name that are no UTF-8 as escapes, ids of folders as digests.

    Args:
        path: Path of a file. The value of a folder ``NAME=value`` is an id if NAME plays the role of one.
        config: The secret, and the columns that were asked for.

    Examples:
        >>> shown_path("logs/user_id=BOB/day=2024-05-30/1.csv", Config())
        'logs/user_id=BOB/day=2024-05-30/1.csv'
        >>> shown_path("logs/user_id=BOB/day=2024-05-30/1.csv", Config(hash_key=b"k" * 16))
        'logs/user_id=f3ddf98d369fe7328d6a836769533649/day=2024-05-30/1.csv'
    """
    text = written(path)
    if config.hash_key is None:
        return text
    *folders, name = text.split("/")
    return "/".join([*(_hidden(folder, config, config.hash_key) for folder in folders), name])


def written(path: str) -> str:
    """A path with what is no UTF-8 in it as escapes, as it stands in any output."""
    return os.fsencode(path).decode(errors="backslashreplace")


def shown_folder(path: str, config: Config) -> str:
    """The same of a path whose last part may be a folder, too."""
    return shown_path(f"{path}/", config)[:-1]


def _hidden(folder: str, config: Config, key: bytes) -> str:
    name, equals, value = folder.partition("=")
    if not equals or value == DEFAULT_PARTITION or not _is_id(unquote(name), config):
        return folder
    return f"{quote(unquote(name))}={digest(unquote(value), key)}"


def _is_id(column: str, config: Config) -> bool:
    """Whether a column that folders name may be an id: before the log is open, from its name and what was asked."""
    asked = [name for role in schema.ID_ROLES for name in config.chosen(role)]
    if config.preset is not None:
        choices = (choice for role in schema.ID_ROLES for choice in config.preset.columns.get(role, ()))
        asked += [name for choice in choices for name in choice]
    known = {part for name in asked for part in roots(name)}
    return column in known or schema.spelling(column) in schema.ID_SPELLINGS
