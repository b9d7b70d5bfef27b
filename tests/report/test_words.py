from html import unescape

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from handan.report.words import LONGEST, LONGEST_LABEL, cells, clean, few, html, labels

TEXT = st.text(st.characters(blacklist_categories=()), max_size=300)


@given(TEXT)
def test_what_is_shown_is_one_line_of_visible_characters(text):
    assert clean(text).isprintable()


@given(TEXT)
def test_no_text_becomes_markup_and_the_page_can_be_encoded(text):
    shown = html(text)
    assert not set(shown) & {"<", ">", '"', "'"}
    shown.encode("utf-8")
    assert unescape(shown).replace("\u00a0", " ").isprintable()


@given(st.text(min_size=LONGEST + 1, max_size=4 * LONGEST))
def test_a_long_text_says_how_long_it_is(text):
    assert clean(text).endswith(f"({len(text):,} characters)")


def test_marks_that_a_reader_could_not_see_are_spelled_out():
    assert clean("a\nb\u202ec\x1b[31m") == r"a\nb\u202ec\x1b[31m"
    assert clean("plain ü 通义") == "plain ü 通义"


def test_a_table_keeps_its_numbers_and_loses_its_control_characters():
    frame = pd.DataFrame(
        {"n": [1, 2], "ok": [True, False], "paper": [0.3, "below\n0"], "x": ["a\u200fb", None]}
    )
    safe = cells(frame)
    assert safe["n"].tolist() == [1, 2]
    assert safe["ok"].tolist() == [True, False]
    assert safe["paper"].tolist() == ["0.30", r"below\n0"]
    assert safe["x"].iloc[0] == r"a\u200fb"
    assert safe["x"].isna().tolist() == [False, True]


def test_many_names_are_counted():
    assert few(["a", "b"]) == "a and b"
    assert few([f"m{k}" for k in range(5)], 3) == "m0, m1, m2 and 2 more"


@given(st.lists(TEXT, min_size=1, max_size=8))
def test_labels_are_short_and_tell_different_names_apart(names):
    values = pd.Series(names, dtype=object)
    drawn = labels(values)
    assert drawn.nunique() == values.nunique()
    assert drawn.str.len().max() <= LONGEST_LABEL + len("… (8)")


def test_names_that_differ_only_at_their_ends_get_a_number():
    values = pd.Series([LONGEST_LABEL * "x" + "1", LONGEST_LABEL * "x" + "2", "通义 m"])
    assert labels(values).tolist() == [LONGEST_LABEL * "x" + "…", LONGEST_LABEL * "x" + "… (2)", "□□ m"]
