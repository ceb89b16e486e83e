"""Doing the next few things while one is in use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def ahead(make: Callable[[Given], Made], of: Iterable[Given], most: int) -> Iterator[Made]:
    """What ``make`` makes of each, in order, while threads make up to ``most`` more; they begin at once.

    Args:
        make: Is called by the threads.
        of: What is given to it, one after the other.
        most: How many are in the making at once.

    Examples:
        >>> list(ahead(abs, [-1, 2, -3], most=2))
        [1, 2, 3]
    """
    threads = ThreadPoolExecutor(most)
    given = iter(of)
    first = [threads.submit(make, each) for each in islice(given, most)]
    return _in_turn(threads, deque(first), (threads.submit(make, each) for each in given))


def _in_turn(threads: ThreadPoolExecutor, waiting: deque[Future[Made]], more: Iterator[Future[Made]]) -> Iterator[Made]:
    with threads:
        for each in more:
            waiting.append(each)
            yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
