import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handan import address, explorer
from handan.explorer.page import PAGE, as_json, html


class Elements(HTMLParser):
    """Start tags, and what stands in script elements."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.tags[-1] == "script":
            self.scripts[-1] += data

    def handle_endtag(self, tag):
        self.tags.append("/" + tag)


def read_back(text):
    found = Elements(text)
    assert found.tags == ["div", "script", "/script", "p", "a", "/a", "/p", "/div"]
    return json.loads(found.scripts[0])


@given(st.dictionaries(st.text(), st.lists(st.text() | st.integers() | st.none() | st.floats(allow_nan=False, allow_infinity=False))))  # fmt: skip
def test_any_text_comes_back_and_none_leaves_the_script(data):
    assert read_back(html(data)) == data
    assert not set("<>&") & set(as_json(data))


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "]]>", "</SCRIPT\n>", "\u2028"])
def test_text_that_would_end_the_script(text):
    assert read_back(html({text: [text]})) == {text: [text]}


def test_numbers_that_json_lacks_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        html({"r": [float("nan")]})


def test_outside_of_the_book_there_is_a_link(found, capsys):
    explorer.show(found[:1])
    assert address.book(PAGE) in capsys.readouterr().out
    assert f'href="{address.book(PAGE)}"' in html({})
