import gzip
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.costs.companions import units
from handan.costs.loops import REPEATS, TOKENS, Loop, find_loop


@given(
    head=st.lists(st.integers(100, 200), max_size=60),
    piece=st.lists(st.integers(0, 9), min_size=1, max_size=60),
    times=st.integers(REPEATS, 20),
    more=st.floats(0, 0.99),
)
@settings(deadline=None, max_examples=80)
def test_a_planted_loop_is_found(head, piece, times, more):
    times = max(times, -(-TOKENS // len(piece)))
    tail = piece * times + piece[: int(more * len(piece))]
    loop = find_loop(head + tail)
    assert loop.tokens == len(tail)
    assert loop.period <= len(piece)
    assert loop.repeats == loop.tokens / loop.period
    assert tail[loop.period :] == tail[: -loop.period]


@given(tokens=st.lists(st.integers(0, 1), max_size=60), repeats=st.integers(2, 4), least=st.integers(1, 12))
@settings(deadline=None, max_examples=150)
def test_it_agrees_with_trying_every_tail(tokens, repeats, least):
    best = None
    for size in range(len(tokens), least - 1, -1):
        tail = tokens[len(tokens) - size :]
        periods = [p for p in range(1, size // repeats + 1) if tail[p:] == tail[:-p]]
        if periods:
            best = Loop(periods[0], size / periods[0], size)
            break
    assert find_loop(tokens, repeats=repeats, least=least) == best


@pytest.mark.parametrize("symbols", [2, 50, 50_000])
def test_random_text_is_no_loop(symbols):
    rng = random.Random(0)
    assert all(find_loop([rng.randrange(symbols) for _ in range(2_000)]) is None for _ in range(50))


@pytest.mark.parametrize(
    "text",
    [
        "Answer: 0000",
        "| 0000 | 0000 |\n" * 10,
        "1/3 = 0." + "3" * 100,
        "-" * 120,
        "0 0 0 0\n" * 15,
        ("The carry goes to the left, and so on, until no column is left to add. " * 3),
    ],
)
def test_what_people_write_on_purpose_is_no_loop(text):
    assert find_loop(units(text)) is None


def test_a_loop_of_words_is_found_by_its_units():
    sentence = "Wait, let me check that again."
    loop = find_loop(units("The sum is 17: " + f"{sentence} " * 40))
    assert (loop.period, loop.repeats) == (len(units(sentence)), 40)


def test_counting_up_and_a_way_out_are_no_loops():
    assert find_loop([token for step in range(200) for token in (-1, -2, step)]) is None
    assert find_loop([1, 2, 3] * 200 + [4, 5, 6, 7]) is None


@pytest.mark.parametrize(("times", "found"), [(3, False), (4, True)])
def test_a_long_piece_must_come_four_times(times, found):
    piece = random.Random(1).sample(range(1000), 200)
    assert (find_loop(piece * times) is not None) == found


def test_a_long_row_takes_linear_time_in_the_worst_case():
    n = 100_000
    assert find_loop([0] * n) == Loop(1, n, n)
    assert find_loop([0] * (n - 1) + [1]) is None
    assert find_loop([1] + [0] * (n - 1)) == Loop(1, n - 1, n - 1)


def test_less_than_two_repetitions_make_no_loop():
    with pytest.raises(ValueError, match="at least 2"):
        find_loop([1, 2], repeats=1)


@pytest.mark.shared
def test_of_real_traces_only_the_one_that_degenerated_is_a_loop(raw):
    # Its own source describes one output of Qwen2.5-32B-Instruct on MATH as running on to the limit.
    folder = raw / "costs/mip-overthinking/raw"
    lengths = {}
    for name in ("math_normal_Qwen32", "math_normal_QwQ", "math_normal_DSQ"):
        with gzip.open(folder / f"{name}.json.gz", "rt", encoding="utf-8") as file:
            answers = [row["model_answer"] for row in json.load(file)]
        found = [number for number, text in enumerate(answers) if find_loop(units(text))]
        lengths[name] = [len(answers[number]) for number in found], max(map(len, answers))
    assert [len(found) for found, _ in lengths.values()] == [1, 0, 0]
    found, longest = lengths["math_normal_Qwen32"]
    assert found == [longest]
