import asyncio
import threading
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.traces.background import Background


async def nothing():
    pass


@pytest.fixture
def background():
    running = Background()
    yield running
    running.stop(nothing())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 6))
def test_every_item_is_worked_on_once_and_not_too_many_at_a_time(pauses, at_once):
    running = Background()
    under_way, most = 0, 0

    async def work(pause):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(pause / 2000)
        under_way -= 1
        return pause

    try:
        assert Counter(running.unordered(work, pauses, at_once)) == Counter(pauses)
    finally:
        running.stop(nothing())
    assert most <= at_once


def test_a_failure_comes_after_the_results_and_stops_the_rest(background):
    begun, gate = [], asyncio.Event()

    async def worked(item):
        if item == 2:
            await gate.wait()
            raise KeyError(item)
        await asyncio.sleep(0 if item < 2 else 60)
        return item

    async def let_go():
        gate.set()

    def work(item):
        begun.append(item)
        return worked(item)

    stream = background.unordered(work, range(100), 3)
    assert sorted([next(stream), next(stream)]) == [0, 1]
    background.submit(let_go())
    with pytest.raises(KeyError):
        next(stream)
    assert begun == [0, 1, 2, 3, 4]


def test_closing_cancels_what_is_under_way(background):
    cancelled = threading.Event()

    async def work(item):
        try:
            await asyncio.sleep(0 if item == 0 else 60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return item

    stream = background.unordered(work, range(5), 2)
    assert next(stream) == 0
    stream.close()
    assert cancelled.wait(5)


def test_nothing_more_is_begun_while_the_consumer_is_busy(background):
    begun = []

    async def work(item):
        begun.append(item)
        return item

    stream = background.unordered(work, range(50), 2)
    next(stream)
    time.sleep(0.1)
    assert len(begun) <= 4
    assert len(list(stream)) == 49


def test_stopping_ends_the_thread_and_does_the_last_thing():
    running, done = Background(), []

    async def last():
        done.append(threading.current_thread().name)

    endless = running.submit(asyncio.sleep(600))
    running.stop(last())
    assert done == ["handan-requests"]
    assert endless.cancelled()
    assert not [one for one in threading.enumerate() if one.name == "handan-requests"]
