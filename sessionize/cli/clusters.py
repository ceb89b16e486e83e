"""`sessionize run --engine spark`: what belongs together, and the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from sessionize.cli import options as o
from sessionize.cli import settings
from sessionize.config import Config, Output
from sessionize.errors import UsageError
from sessionize.values import NamedTuple

if TYPE_CHECKING:
    from sessionize.one_shot import Outcome

ENGINES: Final = ("local", "spark")
OF_SPARK: Final = ("master", "remote", "partitions")


class ClusterOptions(NamedTuple):
    """The cluster that was asked for.

    Attributes:
        master: URL of its master; None for what Spark's own settings say.
        remote: URL of a server of Spark Connect.
        partitions: Parts of the shuffle; None for what the log's size asks for.
    """

    master: str | None
    remote: str | None
    partitions: int | None


def written(outputs: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Names and bytes of what a run wrote; the parts of a folder together."""
    sizes: dict[str, int] = {}
    for file in outputs:
        folder, slash, _ = file["path"].rpartition("/")
        name = folder + slash or file["path"]
        sizes[name] = sizes.get(name, 0) + file["bytes"]
    return sizes


def options_of(typed: o.Typed, config: Config, output: Output) -> ClusterOptions | None:
    """The cluster that was asked for; None for this machine.

    Raises:
        UsageError: If something was asked for that does not go with it.
    """
    if settings.one_of(typed["engine"], ENGINES, "--engine") != "spark":
        given = [name for name in OF_SPARK if typed[name] is not None]
        if given:
            raise UsageError(f"--{given[0]} is for a cluster", hint=f"add --engine spark, or leave --{given[0]} out")
        return None
    if typed["master"] is not None and typed["remote"] is not None:
        raise UsageError("--master and --remote name two clusters", hint="name one")
    if typed["partitions"] is not None and typed["partitions"] < 1:
        raise UsageError(f"invalid value {typed['partitions']} for --partitions (at least 1)", hint="leave it out")
    if typed["state"] or typed["flush"]:
        raise UsageError(
            "--state is not yet for --engine spark",
            hint="run nights on one machine, or each night as a log of its own, without --state",
        )
    checking = [name for name in ("check", "check_first") if typed[name]]
    if checking:
        option = f"--{checking[0].replace('_', '-')}"
        raise UsageError(
            f"{option} is not for --engine spark: checks look at the whole log, on one machine",
            hint=f"leave it out, then: sessionize check {quote(output.directory)}",
        )
    if typed["dry_run"]:
        raise UsageError("--dry-run is not for --engine spark", hint="leave one of them out")
    from sessionize.spark.cluster import check_installed
    from sessionize.spark.job import refuse

    refuse(config, output)
    check_installed(typed["remote"])
    return ClusterOptions(typed["master"], typed["remote"], typed["partitions"])


def run(spark: ClusterOptions, config: Config, output: Output, progress: Callable[[str], None]) -> Outcome:
    """Run a whole log on the cluster."""
    from sessionize.one_shot import Outcome
    from sessionize.spark.cluster import cluster
    from sessionize.spark.job import run as job

    with cluster(spark.master, spark.remote) as found:
        done = job(config, output, found, progress, partitions=spark.partitions)
    return Outcome(done.manifest, done)
