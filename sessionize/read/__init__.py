"""Reading: paths in; one lazy frame of raw rows out, each with its file, its row number, and what is wrong with it."""

from sessionize.read.log import Log, open_log
from sessionize.read.parquet_dictionaries import Rows
from sessionize.read.source import LogFile

__all__ = ["Log", "LogFile", "Rows", "open_log"]
