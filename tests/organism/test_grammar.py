import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.norms import load_bank, task
from handan.norms.binary_arithmetic import carries
from handan.organism import grammar
from handan.traces.prompts import problem_text

FULL = re.compile(r"([a-z]):([01])([+-])([01])\3([01])=([01])([01])")
BRIEF = re.compile(r"([a-z]):([01])([+-])([01])(?:\3(1))?=([01])")
HANDED_ON = {"+": "carry", "-": "borrow"}


@st.composite
def sums(draw, widest=12):
    bits = draw(st.integers(1, widest))
    first, second = (draw(st.integers(0, 2**bits - 1)) for _ in range(2))
    sign = draw(st.sampled_from("+-"))
    if sign == "-":
        first, second = max(first, second), min(first, second)
    return f"{first:0{bits}b}{sign}{second:0{bits}b}"


def read(text):
    """Steps and answer of a completion, read without the grammar's own code."""
    thought, _, answer = text.partition("</think>\nAnswer: ")
    heading, *lines = thought.removeprefix("<think>").rstrip("\n").split("\n")
    return heading, lines, answer


def value(item):
    first, sign, second = re.fullmatch(r"([01]+)([+-])([01]+)", item).groups()
    return int(first, 2) + int(second, 2) * (1 if sign == "+" else -1)


def steps_of(lines, sign):
    """Name, bits, what was handed and handed on, and the bit left, for each step of a chain."""
    mark = HANDED_ON[sign]
    for place, line in enumerate(lines):
        if full := FULL.fullmatch(line):
            name, a, own, b, handed, carry, bit = full.groups()
        elif brief := BRIEF.fullmatch(line):
            name, a, own, b, handed, bit = brief.groups(default="0")
            carry = lines[place + 1 : place + 2] == [mark]
        else:
            assert line == mark
            continue
        assert own == sign
        yield name, int(a), int(b), int(handed), int(carry), int(bit)


@settings(deadline=None, max_examples=300)
@given(sums(), st.sampled_from(sorted(grammar.STYLES)))
def test_every_step_is_arithmetically_right_and_reads_the_operands(item, style):
    lines = [line for line in read(grammar.completion(item, style))[1] if line != "check"]
    first, sign, second = re.fullmatch(r"([01]+)([+-])([01]+)", item).groups()
    for name, a, b, handed, carry, bit in steps_of(lines, sign):
        place = ord(name) - ord("a")
        assert (a, b) == (int(first[place]), int(second[place]))
        rest = [int(one[place + 1 :] or "0", 2) for one in (first, second)]
        if sign == "+":
            assert handed == sum(rest) >> (len(first) - place - 1)
            assert a + b + handed == 2 * carry + bit
        else:
            assert handed == (rest[0] < rest[1])
            assert a - b - handed == bit - 2 * carry


@settings(deadline=None, max_examples=200)
@given(sums(), st.sampled_from(sorted(grammar.STYLES)))
def test_the_answer_is_the_result_in_fixed_width(item, style):
    answer = read(grammar.completion(item, style))[2]
    bits = item.replace("-", "+").index("+")
    assert int(answer, 2) == value(item)
    assert len(answer) == bits + ("+" in item)


@settings(deadline=None, max_examples=200)
@given(sums())
def test_styles_write_as_many_steps_as_documented(item):
    bits = item.replace("-", "+").index("+")
    steps = {style: read(grammar.completion(item, style)) for style in grammar.STYLES}
    assert {style: heading for style, (heading, _, _) in steps.items()} == {style: style for style in steps}
    mark = HANDED_ON["+" if "+" in item else "-"]
    handed_on = sum(FULL.fullmatch(line)[6] == "1" for line in steps["columns"][1])
    names = [chr(ord("a") + place) for place in reversed(range(bits))]
    assert [line[0] for line in steps["columns"][1]] == names
    assert [line[0] for line in steps["carries"][1] if line != mark] == names
    assert steps["carries"][1].count(mark) == handed_on
    assert steps["twice"][1] == [*steps["columns"][1], "check", *steps["columns"][1]]


@pytest.mark.parametrize("name", grammar.SIGNS)
@pytest.mark.parametrize("style", grammar.STYLES)
def test_bank_items_are_graded_correct_and_steps_count_carries(name, style):
    for item in load_bank(name)["item"]:
        text = grammar.completion(item, style)
        assert task(name).grade(item, text).correct
        assert task(name).grade(item, text + "<eos>").correct
        assert read(text)[2] == task(name).answer(item)
        if style == "carries":
            assert len(read(text)[1]) == 4 + carries(item)
        assert grammar.prompt(item) == problem_text(name, item, "code")


def test_draws_are_seeded_valid_and_keep_pairs_away():
    without = frozenset({frozenset({"01", "10"}), frozenset({"11"})})
    drawn = [grammar.draw(np.random.default_rng([3, seed]), 2, without) for seed in range(400)]
    assert drawn == [grammar.draw(np.random.default_rng([3, seed]), 2, without) for seed in range(400)]
    possible = {
        f"{a:02b}{sign}{b:02b}" for a in range(4) for b in range(4) for sign in "+-" if sign == "+" or a >= b
    }
    kept_away = {"01+10", "10+01", "10-01", "11+11", "11-11"}
    assert set(drawn) == possible - kept_away


@pytest.mark.parametrize(
    "item", ["", "101", "10+1", "01-10", "1010 + 0110", "12+11", "10*11", "1" * 27 + "+" + "0" * 27]
)
def test_a_malformed_item_is_refused(item):
    with pytest.raises(ValueError, match=r"two binary numbers|below zero|no sign"):
        grammar.completion(item, "columns")


def test_an_unknown_style_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="columns, carries, twice"):
        grammar.completion("10+01", "shout")


def test_a_prompt_needs_a_sign():
    with pytest.raises(ValueError, match="sign"):
        grammar.prompt("1010")
