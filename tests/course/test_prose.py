import pytest
from hypothesis import given
from hypothesis import strategies as st

from handan import address
from handan.book.errors import ProjectError
from handan.course.prose import Prose

STORY, GLOSSARY = address.book("book/story"), address.book("book/glossary")
PEOPLE, HERE = address.book("notebooks/01_people"), address.book("notebooks/04_toys")


@pytest.fixture(scope="module")
def prose(ran):
    return Prose(ran, "notebooks/04_toys")


@pytest.mark.parametrize(
    ("myst", "plain"),
    [
        ("[a](01_people)", f"[a]({PEOPLE})"),
        ("[a](01_people.ipynb#who)", f"[a]({PEOPLE}#who)"),
        ("[a](../book/story.md#top)", f"[a]({STORY}#top)"),
        ('[a](../book/story "title")', f'[a]({STORY} "title")'),
        ("[a](#below)", f"[a]({HERE}#below)"),
        ('<a href="01_people">a</a>', f'<a href="{PEOPLE}">a</a>'),
        ("[a](https://example.org/a_(b))", "[a](https://example.org/a_(b))"),
        ("[a](mailto:a@b.c)", "[a](mailto:a@b.c)"),
        ("`[a](nowhere)`", "`[a](nowhere)`"),
        ("```\n[a](nowhere)\n```", "```\n[a](nowhere)\n```"),
        ("{doc}`/book/story`", f"[The story]({STORY})"),
        ("{doc}`the people <01_people>`", f"[the people]({PEOPLE})"),
        ("{term}`Noise  Ceiling`", f"[Noise  Ceiling]({GLOSSARY}#term-noise-ceiling)"),
        ("{term}`ceilings <noise ceiling>`", f"[ceilings]({GLOSSARY}#term-noise-ceiling)"),
        ("{cite}`someone`", "van One et al. (2020)"),
        ("{cite:t}`someone,unknown`", "van One et al. (2020), unknown"),
        ("{math}`x^2`", "$x^2$"),
        ("{ref}`the plot <plot>`", f"[the plot]({HERE}#plot)"),
        ("{kbd}`Ctrl`", "Ctrl"),
        ("$$ x $$ (eq-x)", "$$ x $$"),
        ("(anchor)=\n# Head", "# Head"),
        ("```{note}\nBe [kind](01_people).\n```", f"> **Note**\n>\n> Be [kind]({PEOPLE})."),
        (":::{admonition} Mind\n:class: tip\nthe gap\n:::", "> **Mind**\n>\n> the gap"),
        ("```{math}\n:label: eq\nx\n```", "$$\nx\n$$"),
        ("```{code-block} python\nx = 1\n```", "```python\nx = 1\n```"),
        ("```{bibliography}\n```", ""),
        ("```{mermaid}\na --> b\n```", f"*[Shown in the book.]({HERE})*"),
        ("```python\n{doc}`x`\n```", "```python\n{doc}`x`\n```"),
    ],
)
def test_myst_becomes_what_jupyter_shows(prose, myst, plain):
    assert prose.plain(myst) == plain


def test_a_link_to_no_page_is_an_error(prose):
    with pytest.raises(ProjectError, match=r"notebooks/04_toys links to '\.\./book/none', which is no page"):
        prose.plain("[a](../book/none)")


@given(text=st.text(alphabet=st.characters(exclude_characters="{}[]()`:$=\"'"), max_size=80))
def test_text_without_markup_passes_as_it_is(prose, text):
    assert prose.plain(text) == text


@given(text=st.text(alphabet="`[]a(#) {x}:\n$", max_size=40))
def test_rewriting_ends_and_says_what_it_cannot_do(prose, text):
    try:
        once = prose.plain(text)
    except ProjectError as error:
        assert "no page of the book" in str(error)
        return
    assert isinstance(once, str)
