from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.traces import EngineError
from handan.traces.retry import Backoff, asked_to_wait, may_succeed_later

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_what_may_succeed_later():
    later = {status for status in range(100, 700) if may_succeed_later(status)}
    assert later == {408, 409, 425, 429, *range(500, 600)}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "9", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90),
        ({"retry-after": "Sunday, 01-Mar-26 12:00:30 GMT"}, 30),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, 0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2),
    ],
)
def test_how_long_a_server_asks_to_wait(headers, seconds):
    assert asked_to_wait(headers, NOW) == seconds


@settings(deadline=None)
@given(
    st.text(max_size=40)
    | st.from_regex(r"\w{3}, \d{1,3} \w{3} \d{1,6} \d{1,3}:\d\d:\d\d( \S{1,6})?", fullmatch=True)
)
def test_no_header_is_too_strange(said):
    found = asked_to_wait({"retry-after": said}, NOW)
    assert found is None or 0 <= found < float("inf")


@settings(deadline=None)
@given(st.integers(1, 10_000), st.floats(0.001, 10), st.floats(1, 100), st.none() | st.floats(0, 1000))
def test_waiting_stays_within_its_interval(tries, base, times, asked):
    backoff = Backoff(base=base, cap=base * times)
    wait = backoff.wait(tries, asked)
    if asked is None:
        assert 0 <= wait <= min(backoff.cap, base * 2.0 ** min(tries - 1, 1000))
    else:
        assert asked <= wait <= asked + base


def test_the_jitter_is_full():
    waits = [Backoff(base=1, cap=60).wait(4) for _ in range(2000)]
    assert min(waits) < 0.5
    assert max(waits) > 7.5
    assert 3.7 < sum(waits) / len(waits) < 4.3


@pytest.mark.parametrize("bad", [{"max_attempts": 0}, {"base": 2, "cap": 1}, {"max_wait": -1}, {"base": -1}])
def test_impossible_patience_is_refused(bad):
    with pytest.raises(EngineError):
        Backoff(**bad)
