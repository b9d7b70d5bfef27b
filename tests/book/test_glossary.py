import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handan.book.glossary import Linker, role, terms

PAGE = """# Glossary

```{glossary}
noise ceiling
  The r that can be expected of a perfect predictor.

reaction time (RT)
  From seeing a problem to answering it.

ceiling
  A bound.
```

not a term
"""
TERMS = ["noise ceiling", "reaction time (RT)", "ceiling"]


def plain(term, shown):
    return f"<<{shown}|{term}>>"


def test_terms_are_those_of_the_block():
    assert terms(PAGE) == TERMS
    assert terms("# No glossary\n\nterm\n  text\n") == []


def test_the_first_mention_is_linked_and_only_it():
    linker = Linker(TERMS, plain)
    first = linker.link("The Noise ceilings differ.\nA reaction time, and a noise ceiling.")
    assert (
        first
        == "The <<Noise ceilings|noise ceiling>> differ.\nA <<reaction time|reaction time (RT)>>, and a noise ceiling."
    )
    assert (
        linker.link("The noise ceiling and the reaction time.") == "The noise ceiling and the reaction time."
    )


@pytest.mark.parametrize(
    "text",
    [
        "# The noise ceiling",
        "`noise ceiling`",
        "```python\nnoise ceiling\n```",
        "$$\nceiling\n$$",
        "$ceiling$",
        "[the noise ceiling](page.md)",
        "[the noise\nceiling, in two lines](page.md)",
        "`noise\nceiling`",
        "$$ ceiling $$ (label)",
        "![ceiling](a.png)",
        "{cite}`ceiling`",
        "| ceiling | n |",
        '<a title="ceiling">',
        "<details>\n<summary>ceiling</summary>",
        "    ceiling",
        "ceiling-like, subceiling, low-ceiling, ceilinged",
    ],
)
def test_what_is_not_prose_is_left_alone(text):
    assert Linker(TERMS, plain).link(text) == text.rstrip("\n")


def test_prose_after_a_block_is_linked_again():
    linked = Linker(TERMS, plain).link("```\nceiling\n```\nceiling\n\n$$ x $$ (x)\nreaction time")
    assert (
        linked
        == "```\nceiling\n```\n<<ceiling|ceiling>>\n\n$$ x $$ (x)\n<<reaction time|reaction time (RT)>>"
    )


def test_a_role_names_the_term_only_where_the_words_differ():
    assert role("norm", "norm") == "{term}`norm`"
    assert role("norm", "Norms") == "{term}`Norms<norm>`"


@given(st.text("ab ceiling`$[]()<>#|\n", max_size=80))
def test_nothing_but_links_is_added(text):
    linked = Linker(TERMS, plain).link(text)
    undone = re.sub(r"<<([^|<>]*)\|[^<>]*>>", r"\1", linked)
    assert undone == "\n".join(text.splitlines())
    assert linked.count("|ceiling>>") <= 1
