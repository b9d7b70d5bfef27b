import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from handan.course import answers
from handan.course.answers import check, judge, key, make_record

NUMBERS = st.floats(-1e4, 1e4).filter(lambda x: x == 0 or abs(x) > 1e-6)
DIGITS = st.integers(0, 4)
WORDS = st.text(st.characters(categories=["L", "N"]), min_size=3, max_size=12)


def record(right, *, digits=2, wrong=None, hint="the general hint"):
    return {"1.1": make_record("1.1", right, hint=hint, wrong=wrong or {}, digits=digits, points=1)}


def rightness(right, answer, **more):
    return judge("1.1", answer, record(right, **more)).right


@given(right=NUMBERS, digits=DIGITS, share=st.floats(-0.99, 0.99))
def test_a_number_within_one_unit_of_its_last_digit_is_right(right, digits, share):
    assert rightness(float(right), right + share * 10**-digits, digits=digits) is True


@given(right=NUMBERS, digits=DIGITS, away=st.floats(2.01, 1e5), sign=st.sampled_from([-1, 1]))
def test_a_number_further_away_is_not_right(right, digits, away, sign):
    assert rightness(float(right), right + sign * away * 10**-digits, digits=digits) is False


@given(right=NUMBERS, wrong=st.lists(NUMBERS, min_size=1, max_size=4), digits=DIGITS)
def test_each_mistake_gets_its_own_hint(right, wrong, digits):
    cells = [round(value * 10**digits) for value in (right, *wrong)]
    assume(len(set(cells)) == len(cells))
    assume(all(abs(cell - cells[0]) > 1 for cell in cells[1:]))
    told = record(float(right), digits=digits, wrong={f"mistake {i}": v for i, v in enumerate(wrong)})
    for number, value in enumerate(wrong):
        reply = judge("1.1", value, told)
        assert (reply.right, reply.text) == (False, f"1.1: not yet. mistake {number}")
    assert judge("1.1", right, told).right is True


@given(right=st.floats(1, 1e4), wrong=st.floats(1e5, 1e6), word=WORDS, other=WORDS)
def test_no_record_holds_an_answer_in_clear(right, wrong, word, other):
    assume(word.casefold() != other.casefold())
    assume(
        not any(part.casefold() in "numbertextrighthashhintwrongpointskinddigits" for part in (word, other))
    )
    text = repr(record(right, wrong={"a": wrong}, hint="-")["1.1"])
    assert not any(
        f"{value:.{n}f}" in re.sub(r"[0-9a-f]{32}", "", text) for value in (right, wrong) for n in (1, 2)
    )
    text = re.sub(r"[0-9a-f]{32}", "", repr(record(word, wrong={"a": other}, hint="-")["1.1"]))
    assert word not in text
    assert other not in text


@given(words=st.lists(WORDS, min_size=1, max_size=5), seed=st.randoms(use_true_random=False))
def test_a_list_is_right_in_any_order_and_case(words, seed):
    shuffled = [f" {word.upper()} " for word in words]
    seed.shuffle(shuffled)
    # a letter whose upper case is two letters has no way back
    assume(all(word.upper().casefold() == word.casefold() for word in words))
    assert rightness(words, shuffled) is True
    assert rightness(words, [*words, "one more"]) is False
    assert rightness(words, pd.Series(words)) is True


@pytest.mark.parametrize(
    ("right", "same", "other"),
    [
        ("R1", [" r1 ", "R1"], ["R2", ""]),
        (True, [True, np.True_], [False, np.False_]),
        (3, [3, 3.0, np.int64(3), np.array([3])], [4, 2, 3.5]),
        (0.5, [0.5, np.float32(0.5), np.array([0.5]), pd.Series([0.5])], [0.6, -0.5, 50, np.inf]),
        (["a", "b"], [("b", "a"), np.array(["a", "b"]), {"a", "b"}], [["a"], ["a", "b", "b"], "a b"]),
    ],
)
def test_an_answer_of_any_fitting_type_is_compared(right, same, other):
    assert [rightness(right, one) for one in same] == [True] * len(same)
    assert [rightness(right, one) for one in other] == [False] * len(other)


@pytest.mark.parametrize("nothing", [..., None, [...], ["a", ...], (..., ...)])
@pytest.mark.parametrize("right", [1, 0.5, "a", True, ["a", "b"]])
def test_dots_are_no_answer_yet(right, nothing):
    reply = judge("1.1", nothing, record(right))
    assert (reply.right, reply.text) == (None, "1.1: no answer yet. Put yours in place of the dots.")


@pytest.mark.parametrize(
    ("right", "answer", "told"),
    [
        (0.5, math.nan, "not a number (NaN)"),
        (0.5, pd.NA, "yours is a NAType"),
        (0.5, "0.5", "should be a number, and yours is a str"),
        (0.5, True, "should be a number, and yours is a bool"),
        (0.5, np.array([0.5, 0.6]), "yours is a ndarray"),
        (0.5, np.complex128(0.5), "should be a number"),
        (3, "3", "should be a whole number"),
        ("a", 3, "should be a text, and yours is a int"),
        (True, 1, "should be a yes or no"),
        (["a"], "a", "should be a list of text"),
        (["a"], [1], "should be a list of text"),
        (["a"], object(), "should be a list of text"),
    ],
)
def test_an_answer_of_another_kind_is_told_so(right, answer, told):
    reply = judge("1.1", answer, record(right))
    assert reply.right is False
    assert told in reply.text


@given(answer=st.one_of(st.floats(), st.integers(), st.text(), st.none(), st.binary(), st.lists(st.floats()),
                        st.dictionaries(st.text(), st.floats()), st.complex_numbers(), st.booleans()))  # fmt: skip
@example(answer=1.7e308).via("overflows once it is multiplied")
@example(answer=10**400).via("is no float")
@pytest.mark.parametrize("right", [1, 0.5, "a", True, ["a"]])
def test_whatever_is_answered_there_is_a_reply(right, answer):
    assert judge("1.1", answer, record(right)).text.startswith("1.1: ")


@pytest.mark.parametrize("value", [math.nan, math.inf, ..., None, object(), [1], np.array([0.5, 1.0])])
def test_what_cannot_be_checked_cannot_be_a_key(value):
    with pytest.raises(ValueError, match=r"exercise 1\.1: the right answer"):
        record(value)
    with pytest.raises(ValueError, match=r"exercise 1\.1: the mistake 'm' gives"):
        record(0.5, wrong={"m": value})


def test_a_mistake_must_differ_from_the_answer_and_from_others():
    with pytest.raises(ValueError, match="gives the right answer"):
        record(0.5, wrong={"close": 0.509})
    with pytest.raises(ValueError, match="is never said"):
        record(0.5, wrong={"a": 0.7, "b": 0.701})


def test_the_same_answer_to_another_exercise_has_another_hash():
    one, two = (
        make_record(name, 1, hint="-", wrong={}, digits=0, points=1)["right"] for name in ("1.1", "1.2")
    )
    assert one != two


def test_an_unknown_exercise_names_the_known():
    with pytest.raises(LookupError, match=r"no exercise '1\.11'\. Did you mean 1\.1\? There are: 1\.1"):
        judge("1.11", 1, record(1))


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(answers, "_packaged", lambda: record(0.5, wrong={"Twice as much.": 1.0}))
    for name in ("NBGRADER_EXECUTION", "HANDAN_STRICT"):
        monkeypatch.delenv(name, raising=False)


def test_a_check_says_what_it_thinks_and_lets_the_notebook_run_on(known, capsys):
    for answer in (0.5, 1.0, ..., "x"):
        check("1.1", answer)
    right, wrong, nothing, other = capsys.readouterr().out.splitlines()
    assert right == "1.1: right."
    assert wrong == "1.1: not yet. Twice as much."
    assert "no answer yet" in nothing
    assert "should be a number" in other


@pytest.mark.parametrize("variable", ["NBGRADER_EXECUTION", "HANDAN_STRICT"])
def test_a_graded_check_raises(known, monkeypatch, capsys, variable):
    monkeypatch.setenv(variable, "autograde")
    for answer, told in ((1.0, "Twice as much"), (..., "no answer yet"), ("x", "should be")):
        with pytest.raises(AssertionError, match=told):
            check("1.1", answer)
    check("1.1", 0.5)
    assert capsys.readouterr().out == "1.1: right.\n"


def test_a_key_says_only_that_it_was_recorded(capsys):
    key("1.1", 0.123, hint="-")
    assert capsys.readouterr().out == "1.1: recorded.\n"
