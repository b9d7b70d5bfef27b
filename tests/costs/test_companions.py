import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.costs.companions import Lengths, lengths, steps, units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Lengths(0, 0, 0, 0)),
        (" \n\n\t", Lengths(4, 0, 0, 0)),
        ("1010+0111 = 10001", Lengths(17, 3, 15, 1)),
        ("So, the carry is 1.", Lengths(19, 5, 7, 1)),
        ("思考中。", Lengths(4, 1, 4, 1)),
        ("naïve x_1", Lengths(9, 2, 4, 1)),
        ("a\n\nb", Lengths(4, 2, 2, 2)),
        ("\0😀", Lengths(2, 1, 2, 1)),
    ],
)
def test_lengths_of_known_texts(text, expected):
    assert lengths(text) == expected


def test_units_are_letters_together_and_digits_alone():
    assert units("Don't add 12 to 思考 x_1") == [
        "Don", "'", "t", "add", "1", "2", "to", "思", "考", "x", "_", "1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("one\ntwo\nthree", 1),
        ("one\n\ntwo", 2),
        ("\n\none\n\n\n \t\n\ntwo\n\n", 2),
        ("one\r\n\r\ntwo", 2),
        ("one\n \ntwo\n1. a\n2. b", 2),
    ],
)
def test_a_step_is_a_paragraph(text, count):
    assert steps(text) == count


@given(st.text(max_size=80))
@settings(deadline=None)
def test_units_hold_every_character_but_white_space(text):
    assert "".join(units(text)) == "".join(text.split())


@given(st.lists(st.text("ab \n", max_size=20), max_size=6))
@settings(deadline=None)
def test_steps_add_up_over_paragraphs(texts):
    assert steps("\n\n".join(texts)) == sum(steps(text) for text in texts)
