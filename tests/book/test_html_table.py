import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handan.book.html_table import html_table


def cells(frame, **kwargs):
    given = {"digits": 2, "labels": None, "intervals": {}, **kwargs}
    html, _ = html_table(frame, **given)
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_columns_are_formatted_by_what_they_hold():
    frame = pd.DataFrame(
        {
            "task": ["a<b", None],
            "n": [1, 20000],
            "tokens": [12408.0, None],
            "r": [1.0, None],
            "p_holm": [0.0001, 0.5],
            "ok": [True, False],
        }
    )
    assert cells(frame) == [
        ["task", "n", "tokens", "r", "p_holm", "ok"],
        ["a&lt;b", "1", "12,408", "1.00", "&lt;.001", "yes"],
        ["–", "20,000", "–", "–", ".500", "no"],
    ]


def test_an_estimate_and_its_ends_become_one_column():
    frame = pd.DataFrame({"r": [0.1], "low": [-0.2], "high": [0.4], "x": [0.12345]})
    got = cells(frame, intervals={"r": ("low", "high")}, digits={"x": 4}, labels={"r": "r [95 %]", "x": "x"})
    assert got == [["r [95 %]", "x"], ["0.10 [−0.20, 0.40]", "0.1235"]]


def test_a_list_of_columns_chooses_and_orders():
    frame = pd.DataFrame({"a": [1], "b": [2], "c": [3]})
    assert cells(frame, labels=["c", "a"]) == [["c", "a"], ["3", "1"]]
    assert cells(frame, labels={"c": "C", "a": "A"}) == [["C", "A"], ["3", "1"]]


def test_numbers_stand_right_and_text_left():
    html, text = html_table(pd.DataFrame({"a": ["x"], "b": [2]}), digits=2, labels=None, intervals={})
    assert re.findall(r"<td style=\"text-align:(\w+)\"", html) == ["left", "right"]
    assert text == "a  b\nx  2"


def test_a_column_of_sentences_may_take_several_lines_and_a_column_of_names_not():
    sentence = "it needs a student beside the checkpoint that it was made from"
    name = "DeepSeek-R1-Distill-Qwen-14B"
    frame = pd.DataFrame({"model": [name, "x"], "why": [sentence, "no"]})
    html, _ = html_table(frame, digits=2, labels=None, intervals={})
    row = [f'<td style="text-align:left">{name}</td>']
    row.append(f'<td style="text-align:left;white-space:normal;min-width:12em">{sentence}</td>')
    assert "".join(row) in html


@pytest.mark.parametrize(
    "wrong",
    [{"labels": {"z": "Z"}}, {"digits": {"z": 1}}, {"intervals": {"a": ("z", "a")}}, {"labels": ["z"]}],
)
def test_a_column_that_is_not_there_is_named(wrong):
    with pytest.raises(KeyError, match=r"no column 'z'; it has a and b"):
        cells(pd.DataFrame({"a": [1], "b": [2]}), **wrong)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=4))
def test_no_text_becomes_markup(texts):
    html, _ = html_table(pd.DataFrame({"x": texts}), digits=2, labels=None, intervals={})
    inside = re.sub(r'</?(?:thead|tbody|tr|th|td)(?: scope="col")?(?: style="text-align:left")?>', "", html)
    assert "<" not in inside
    assert html.count("<tr>") == len(texts) + 1
