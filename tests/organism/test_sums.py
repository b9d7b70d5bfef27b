import re

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from handan.norms import load_bank
from handan.norms.binary_arithmetic import carries
from handan.organism.sums import BASES, SIGNS, operands, work


def spelled(number, width, base):
    return f"{number:0{width}b}" if base == 2 else f"{number:0{width}d}"


@st.composite
def problems(draw, task=None, most=10**6):
    """Task, item, both operands and what is shown, None where nothing is."""
    task = task or draw(st.sampled_from(sorted(SIGNS)))
    base, sign, width = BASES[task], SIGNS[task], draw(st.integers(1, 12))
    first, second = (draw(st.integers(0, base**width - 1)) for _ in range(2))
    if sign == "-":
        first, second = max(first, second), min(first, second)
    item = f"{spelled(first, width, base)}{sign}{spelled(second, width, base)}"
    if task != "digit-addition":
        return task, item, first, second, None
    proposed = draw(st.integers(0, most) | st.just(first + second))
    return task, f"{item}={proposed}", first, second, proposed


@budget(deadline=None, max_examples=300)
@given(problems())
def test_results_are_those_of_pythons_integers(problem):
    task, item, first, second, _ = problem
    done = work(task, item)
    result = first + second if SIGNS[task] == "+" else first - second
    width = len(re.split(r"[+-]", item)[0])
    assert int(done.result, BASES[task]) == result
    assert len(done.result) == width + (SIGNS[task] == "+")


@budget(deadline=None, max_examples=300)
@given(problems())
def test_every_column_is_arithmetically_right_and_reads_the_operands(problem):
    task, item, first, second, _ = problem
    base, done = BASES[task], work(task, item)
    width = len(done.columns)
    for place, column in enumerate(done.columns):
        assert column.name == "abcdefghijkl"[width - 1 - place]
        assert (column.first, column.second) == (first // base**place % base, second // base**place % base)
        low = [number % base**place for number in (first, second)]
        if column.sign == "+":
            assert column.handed == sum(low) // base**place
            assert column.first + column.second + column.handed == base * column.carry + column.digit
        else:
            assert column.handed == (low[0] < low[1])
            assert column.first - column.second - column.handed == column.digit - base * column.carry


@budget(deadline=None, max_examples=300)
@given(problems())
def test_carries_are_as_many_as_the_sums_of_digits_say(problem):
    """In base b each carry lowers the sum of digits by b − 1: a count that needs no columns."""
    task, item, first, second, _ = problem
    base, done = BASES[task], work(task, item)

    def digits(number):
        return number % base + digits(number // base) if number else 0

    if SIGNS[task] == "+":
        lost = digits(first) + digits(second) - digits(first + second)
    else:
        lost = digits(first - second) + digits(second) - digits(first)
    assert done.carries * (base - 1) == lost
    assert done.steps == len(done.columns) + done.carries


@budget(deadline=None, max_examples=300)
@given(problems())
def test_what_is_written_down_can_be_read_back(problem):
    task, item, *_ = problem
    done, sign = work(task, item), re.escape(SIGNS[task])
    full = rf"([a-z]):(\d){sign}(\d){sign}([01])=([01])(\d)"
    brief = rf"([a-z]):(\d){sign}(\d)(?:{sign}(1))?=(\d)"
    width = len(done.columns)
    read = [re.fullmatch(full, line).groups() for line in done.full()[:width]]
    assert read == [
        (one.name, *map(str, (one.first, one.second, one.handed, one.carry, one.digit)))
        for one in done.columns
    ]
    lines = done.brief()[: width + done.carries]
    mark = "carry" if SIGNS[task] == "+" else "borrow"
    assert lines.count(mark) == done.carries
    again = []
    for place, line in enumerate(lines):
        if line != mark:
            name, first, second, handed, digit = re.fullmatch(brief, line).groups(default="0")
            again.append(
                (name, first, second, handed, str(int(lines[place + 1 : place + 2] == [mark])), digit)
            )
    assert again == read


@budget(deadline=None, max_examples=300)
@given(problems(task="digit-addition", most=200))
def test_a_proposed_result_is_judged_and_compared_digit_by_digit(problem):
    task, item, first, second, shown = problem
    done = work(task, item)
    assert done.answers == (("true",) if first + second == shown else ("false",))
    for steps in (done.full(), done.brief()):
        assert re.fullmatch(r"(\d\d[=/])+", steps[-1])
        pairs = re.findall(r"(\d)(\d)([=/])", steps[-1])
        assert int("".join(ours for ours, _, _ in pairs)) == first + second
        assert int("".join(theirs for _, theirs, _ in pairs)) == shown
        assert [mark == "=" for *_, mark in pairs] == [ours == theirs for ours, theirs, _ in pairs]


@pytest.mark.parametrize("task", ["binary-addition", "binary-subtraction"])
def test_carries_of_the_banks_items_are_those_that_the_bank_counts(task):
    items = load_bank([task])["item"]
    assert [work(task, item).carries for item in items] == [carries(item) for item in items]


@pytest.mark.parametrize(
    ("task", "item", "reason"),
    [
        *[("binary-addition", bad, "write it like 1010[+]0110") for bad in (
            "", "101", "10+1", "1010 + 0110", "12+11", "10*11", "10-11", "+", "1" * 27 + "+" + "0" * 27,
            "10+01=11", "१०+०१", "10+01\n",
        )],
        ("binary-subtraction", "01-10", "below zero"),
        ("binary-subtraction", "10+01", "write it like 1010-0110"),
        *[("digit-addition", bad, "write it like 4[+]9=13") for bad in ("4+9", "4+9=", "4+19=23", "4-9=5", "४+९=१३")],
    ],
)  # fmt: skip
def test_a_malformed_item_is_refused_with_a_good_one(task, item, reason):
    with pytest.raises(ValueError, match=reason):
        work(task, item)


def test_operands_forget_order_sign_and_what_is_shown():
    assert operands("0110+1010") == operands("1010-0110") == operands("1010+0110=9") == {"0110", "1010"}
    assert operands("11+11") == {"11"}
