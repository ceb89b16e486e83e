"""The trunk: read → normalise → bring keys together → sessionize → order. Every command's log goes through here.

::

    log ─► Ingest ─► policy.before ─► partition_by_key ─► policy.settle ─► order ─► batches, ready to be written
            row-local   carried events    whole keys          key-local        (start, session id)

The whole log has been read when `partition_by_key` returns: the watermark is known before the first session is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.ingest import EventLog, Ingest
from sessionize.engine.observe import Observer, Whole, overrides
from sessionize.engine.order import ordering
from sessionize.engine.partition import partition_by_key
from sessionize.engine.policy import ONE_SHOT, Policy, Wanted
from sessionize.engine.result import Result
from sessionize.engine.tally import Tally
from sessionize.kernel import Dictionaries, Sessionized
from sessionize.limits import Limits


def sessionize_log(  # noqa: PLR0913 - each is a part of it
    log: EventLog,
    plan: Plan,
    limits: Limits,
    *,
    policy: Policy = ONE_SHOT,
    observe: Sequence[Observer] = (),
    assign: bool = False,
    keep: bool = True,
) -> Result:
    """From a log to its sessions.

    Args:
        log: The log that the rows come from.
        plan: What the configuration means for this log.
        limits: What memory and disk there is.
        policy: Which events are taken and which sessions are given out: one shot, or a night.
        observe: Observers that look at the log on its way.
        assign: Whether the batches have the events of their sessions, too.
        keep: Whether there are to be batches at all; else only what the policy makes of the sessions counts.

    Raises:
        InputError: If the log is damaged.
        AccountingError: If rows in and rows out do not add up.
    """
    dictionaries = Dictionaries(limits.few_texts)
    ingest = Ingest(log.schema, plan, dictionaries, late_before=policy.late_before, observe=observe)
    with log.reading(), dictionaries:
        partitions = partition_by_key(policy.before(ingest.events(log.batches(limits))), limits, dictionaries)
    totals = ingest.totals()
    stand = policy.close(plan, totals.newest)
    whole = Whole(totals.events, stand)
    ordered = ordering(partitions, limits, plan, stand.watermark)
    tally = Tally()
    looks = [each for each in observe if overrides(each, "partition")]
    alone: list[pl.DataFrame] = []
    wanted = Wanted(assigned=assign, events=bool(looks))
    for partition in partitions:
        for each in observe:
            if overrides(each, "keys"):
                partition.show(each.keys, whole=each.needs_whole_keys)
        for done, events, apart in policy.settle(partition, plan, stand, wanted):
            alone += [] if apart is None else [apart]
            if keep:
                ordered.add(done, events if assign else None)
            if events is not None:
                ingest.looked()
            tally += _looked_at(done, events, looks, plan, whole)  # while the first batches are being made
    ingest.looked()  # there may be no session
    counts = (totals.counts + tally.counts() + policy.counts).checked()
    return Result(
        ordered if keep else (), all_rejected(totals.rejected, alone), totals.late, counts, stand, totals.values
    )


def _looked_at(
    done: Sessionized, events: pl.DataFrame | None, looks: Sequence[Observer], plan: Plan, whole: Whole
) -> Tally:
    """The tally of some sessions, which observers look at meanwhile, side by side."""
    with ThreadPoolExecutor(1 + len(looks)) as threads:
        looking = [] if events is None else [threads.submit(each.partition, events, done, whole) for each in looks]
        tally = Tally.of(done, plan, whole.stand.watermark)
        for each in looking:
            each.result()
    return tally


def all_rejected(rejected: pl.DataFrame, alone: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The rows that are no events, and those that are passive ones in no session, in input order.

    Args:
        rejected: FILE, ROW and REASON of rows that are no events.
        alone: FILE, ROW and maybe PATH of passive events in no session.
    """
    if not alone:
        return rejected
    reason = pl.lit("passive_alone", rejected.schema[schema.REASON]).alias(schema.REASON)
    found = pl.concat([rejected, *(each.with_columns(reason) for each in alone)], how="diagonal")
    return found.sort(schema.FILE, schema.ROW, nulls_last=False, maintain_order=True)
