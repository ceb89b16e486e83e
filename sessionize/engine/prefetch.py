"""Doing the next few things while one is in use, or what is left to be done of the last ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

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


class Behind:
    """Calls functions one after the other in a thread of their own, while others go on.

    Args:
        most: How many calls may be left to do; whoever asks for one more waits.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future[Any]] = deque()

    def call(self, function: Callable[[Given], Any], given: Given) -> None:
        """Call it soon; what an earlier call raised is raised here."""
        while len(self._waiting) >= self._most:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(function, given))

    def end(self) -> None:
        """Wait for all calls; raise what one of them raised."""
        with self._thread:
            while self._waiting:
                self._waiting.popleft().result()
