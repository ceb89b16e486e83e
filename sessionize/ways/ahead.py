"""Doing the next few things while one is in use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def ahead(make: Callable[[Given], Made], of: Iterable[Given], most: int) -> Iterator[Made]:
    """What ``make`` makes of each, in order, while threads make up to ``most`` more.

    Examples:
        >>> list(ahead(abs, [-1, 2, -3], most=2))
        [1, 2, 3]
    """
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(most) as threads:
        for each in of:
            waiting.append(threads.submit(make, each))
            if len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
