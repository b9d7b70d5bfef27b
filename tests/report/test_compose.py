import base64
import re

import matplotlib
import pandas as pd
import pytest

from handan.report.compose import MOST_ROWS, Composer, Picture

matplotlib.use("Agg")


def test_a_long_table_is_capped_and_says_so():
    page = Composer()
    page.table(pd.DataFrame({"n": range(MOST_ROWS + 5)}), "Numbers.")
    assert page.body.count("<tr>") == MOST_ROWS + 1
    assert f"The first {MOST_ROWS} of {MOST_ROWS + 5} rows; the JSON file has all." in page.body


def test_a_short_table_is_whole_and_one_without_rows_adds_nothing():
    page = Composer()
    page.table(pd.DataFrame({"n": [1]}), "One.")
    page.table(pd.DataFrame({"n": []}), "None.")
    assert "rows; the JSON" not in page.body
    assert page.body.count("<table>") == 1


def test_columns_that_are_not_shown_are_mentioned():
    page = Composer()
    page.table(pd.DataFrame({"a": [1], "b": [2]}), "Two.", columns=("a",))
    assert "The JSON file has further columns." in page.body


def test_a_redundant_column_goes_only_where_it_holds_one_value():
    for studies, there in ((["s", "s"], False), (["s", "t"], True)):
        page = Composer(redundant=("study",))
        page.table(pd.DataFrame({"study": studies, "n": [1, 2]}), "Some.")
        assert (">study<" in page.body) is there


def test_long_lists_are_capped():
    page = Composer()
    page.items(f"line {k}" for k in range(MOST_ROWS + 1))
    assert page.body.count("<li>") == MOST_ROWS
    assert f"first {MOST_ROWS} of {MOST_ROWS + 1} lines" in page.body


@pytest.mark.parametrize("add", ["say", "heading", "section", "code"])
def test_text_is_escaped(add):
    page = Composer()
    getattr(page, add)("<script>alert(1)</script>")
    page.facts([("<b>", "<i>")])
    page.items(["<img>"])
    page.table(pd.DataFrame({"<u>": ["<svg>"]}), "<s>")
    tags = set(re.findall(r"</?([a-z0-9]+)", page.body))
    assert not tags & {"script", "b", "i", "img", "u", "svg", "s"}


def test_figures_are_numbered_and_their_captions_kept():
    import matplotlib.pyplot as plt

    open_before = plt.get_fignums()
    page = Composer()
    for k in range(2):
        fig, axes = plt.subplots()
        axes.set_title("□ 通义")
        page.picture(Picture(fig, f"caption {k}", 'alt "quoted"'))
    assert [one["figure"] for one in page.captions] == ["Figure 1", "Figure 2"]
    assert 'alt="alt &quot;quoted&quot;"' in page.body
    data = re.search(r"base64,([^\"]+)", page.body).group(1)
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert plt.get_fignums() == open_before
