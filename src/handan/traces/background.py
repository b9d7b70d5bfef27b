"""An event loop in a thread of its own, so that asynchronous work can be had from plain code.

It works inside a notebook too, whose main thread already runs a loop.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_GRACE = 10.0  # seconds that cancelled work gets to close its connections


class Background:
    """A running event loop; stop it when done."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="handan-requests", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, R]) -> concurrent.futures.Future[R]:
        """Start a coroutine; cancelling the future cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def unordered(
        self, work: Callable[[T], Coroutine[Any, Any, R]], items: Iterable[T], at_once: int
    ) -> Iterator[R]:
        """Yield the results of ``work(item)`` as they are done, a bounded number of them under way.

        Nothing further is started while the consumer is busy, apart from one successor for
        each result. Closing the iterator cancels what is under way.

        Parameters
        ----------
        work : callable
            Makes the coroutine for an item.
        items : iterable
            Taken up in order, each once.
        at_once : int
            Bound on coroutines under way.

        Raises
        ------
        Exception
            The first one out of a coroutine, after the results that were done beside it.
        """
        waiting = iter(items)
        running = {self.submit(work(item)) for item in islice(waiting, at_once)}
        try:
            while running:
                done = _first(running)
                running -= done
                failed = [one for one in done if one.exception()]
                if not failed:
                    running |= {self.submit(work(item)) for item in islice(waiting, len(done))}
                yield from (one.result() for one in done if not one.exception())
                if failed:
                    failed[0].result()
        finally:
            for one in running:
                one.cancel()

    def stop(self, last: Coroutine[Any, Any, object]) -> None:
        """Cancel what is left, do one last thing, and end the thread."""
        try:
            self.submit(_cancel_the_rest(last)).result(timeout=2 * _GRACE)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_GRACE)
            self._loop.close()


def _first(running: set[concurrent.futures.Future[R]]) -> set[concurrent.futures.Future[R]]:
    """Wait until something is done."""
    while True:
        # A wait without an end can't be interrupted from the keyboard on Windows.
        done, _ = concurrent.futures.wait(
            running, timeout=1.0, return_when=concurrent.futures.FIRST_COMPLETED
        )
        if done:
            return done


async def _cancel_the_rest(last: Coroutine[Any, Any, object]) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), _GRACE)
    await asyncio.wait_for(last, _GRACE)
