import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handan.traces import Completion
from handan.traces.progress import Meter, Progress, duration


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def done(tokens=10, stop="stop"):
    return Completion("k", "", stop, output_tokens=tokens)


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(0, "0 s"), (45, "45 s"), (99.4, "99 s"), (120, "2 min"), (5940, "99 min"), (11_100, "3 h 05 min"),
     (187_200, "2 d 4 h")],
)  # fmt: skip
def test_durations_are_written_for_people(seconds, says):
    assert duration(seconds) == says


def test_rate_and_time_left():
    clock = Clock()
    meter = Meter(10, clock)
    assert meter.left is None
    assert "unknown" in meter.line()
    for _ in range(4):
        meter.count(done())
    clock.now = 8.0
    assert meter.rate == 5.0
    assert meter.left == 12.0
    assert meter.line() == "4 of 10 rows, 5 tokens/s, 12 s left"


def test_failed_rows_are_counted_and_said():
    meter = Meter(2, Clock())
    meter.count(done(None, "error"))
    assert (meter.rows, meter.errors, meter.tokens) == (1, 1, 0)
    assert "1 failed" in meter.line()


@given(st.lists(st.integers(0, 10**6)))
def test_tokens_add_up(tokens):
    meter = Meter(len(tokens))
    for count in tokens:
        meter.count(done(count))
    assert meter.tokens == sum(tokens)


def test_off_a_terminal_lines_are_plain_and_few():
    stream = io.StringIO()
    progress = Progress(stream, every=5)
    meter = progress.start(100)
    clock = Clock()
    meter._clock, meter._start = clock, 0.0
    for _ in range(100):
        clock.now += 0.25
        meter.count(done())
        progress.update(meter)
    progress.stop(meter)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 6  # one every five of 25 seconds, and the end
    assert lines[-1] == "100 rows in 25 s, 40 tokens/s"
    assert "\x1b" not in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_there_is_a_bar_and_a_last_line():
    stream = Terminal()
    progress = Progress(stream)
    meter = progress.start(2)
    for _ in range(2):
        meter.count(done())
        progress.update(meter)
    progress.stop(meter)
    assert "2 of 2 rows" in stream.getvalue()
    assert "2 rows in" in stream.getvalue().splitlines()[-1]
