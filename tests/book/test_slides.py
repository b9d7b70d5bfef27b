"""Decks from a made-up chapter that has everything, and from the miniature book."""

from __future__ import annotations

import shutil
from io import BytesIO

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4
from tests.book.deck import WALK

from handan import address
from handan.book import show, slides, slides_text
from handan.book.errors import BookError, ProjectError
from handan.book.project import Project
from handan.book.slides_plan import plan
from handan.book.slides_shown import Figure, Table, shown

CHAPTER = "04_alignment"
EVIL = '<img src=x onerror="hacked=1"><script>hacked=1</script>'
SECRET = "swordfish"
WIDE_FORMULA = "$$t = " + " + ".join(rf"\frac{{a_{{{i}}}}}{{b_{{{i}}}}}" for i in range(24)) + "$$"


def output(function, *given, **named):
    """Call a function of `show` and get the output that a chapter would keep."""
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(show, "put", kept.append)
        function(*given, **named)
    return v4.new_output("display_data", kept[0])


def figure(caption, alt="A rising line.", size=(5, 3), name=None):
    fig, ax = plt.subplots(figsize=size)
    ax.plot([1, 2, 3])
    return output(show.figure, fig, caption, alt, name=name)


def frame(rows, columns):
    return pd.DataFrame({f"column {i}": [f"{i}, {k}" for k in range(rows)] for i in range(columns)})


def markdown(text, *tags):
    return v4.new_markdown_cell(text, metadata={"tags": list(tags)})


def code(source, outputs=(), *tags):
    return v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


@pytest.fixture(scope="module")
def notebook():
    """A chapter with everything that a slide can be made of, some of it meant badly or too large."""
    opening = (
        "# Alignment: do tokens follow *human* time?\n\n**After this chapter you can**\n\n"
        "- compute an alignment;\n- read a correlation.\n\n**Time:** 25 minutes to read.\n\nAn opening remark."
    )
    first = (
        "## The teacher\n\nTokens follow time, e.g. in sums ($r$ = 0.5). This is the second sentence. "
        "A third one is only spoken.\n\nAnother paragraph with [a link](01_people.ipynb#bank).\n\n"
        f"{WIDE_FORMULA}\n\n```python\nspoken_code()\n```"
    )
    hostile_html = (
        f'<figure class="handan-figure"><img src="http://example.org/x.png" alt="x">{EVIL}</figure>'
    )
    cells = [
        markdown(opening),
        code("profile = 'default'", (), "parameters"),
        markdown(first),
        code("draw()", [figure("Time rises. " * 40, "A line that <rises>.", size=(4, 6), name="tall")]),
        code("show()", [output(show.table, frame(4, 3), "A small table.", note="Noted.", name="small")]),
        code("show()", [output(show.table, frame(40, 3), "A long table. Not for slides.", name="long")]),
        markdown(f"## Said\n\nOnly sentences here. {EVIL}\n\nMore <b>prose</b>."),
        code("say()", [output(show.say, "For {m} $r$ is {r:.2f}. Not more.", m=f"a*b {EVIL} $x$", r=0.25)]),
        code("print(1)", [v4.new_output("stream", text="printed " + EVIL)]),
        code("bad()", [v4.new_output("display_data", {"text/html": hostile_html + EVIL})]),
        markdown("### Exercise 4.1: Raw or log? (5 minutes)\n\n" + "Think hard. " * 40, "exercise"),
        code(f"r = '{SECRET}'", [figure(f"The {SECRET} figure.")], "solution"),
        code(f"key('4.1', '{SECRET}')", (), "key"),
        markdown("## By hand\n\nOnly for the speaker.", "notes"),
        code("visible = 1  # seen", [v4.new_output("stream", text="unseen")], "slide-code"),
        markdown("Kept away from slides: hush.", "skip-slide"),
        markdown("## A slide of its own\n\n" + "All of this is seen. " * 30 + "\n\n- a\n- b", "slide"),
        markdown("## What these data can't say\n\n- **A point.** Its reason.\n- Another. And why."),
    ]
    return v4.new_notebook(cells=cells)


def page(notebook):
    return BeautifulSoup(slides.deck(notebook, CHAPTER), "html.parser")


def frames(deck):
    """The first slide under each heading."""
    found = {}
    for frame in deck.select(".frame"):
        found.setdefault((frame.h1 or frame.h2).text, frame)
    return found


def seen(frame):
    return "\n".join(
        part.get_text(" ", strip=True) for part in frame.find_all(recursive=False) if part.name != "aside"
    )


def test_each_kind_of_cell_gives_its_slide(notebook):
    kinds = [(one.kind, one.stacked) for one in plan(notebook, CHAPTER)]
    assert kinds == [
        ("title", False),
        ("section", False),
        ("figure", True),
        ("table", True),
        ("section", False),
        ("exercise", True),
        ("code", True),
        ("section", False),
        ("section", False),
    ]


def test_the_title_slide_says_aims_and_time(notebook):
    deck = page(notebook)
    first = deck.select_one(".frame")
    assert deck.title.text == "Alignment: do tokens follow human time?"
    assert deck.html["lang"] == "en"
    assert [item.text for item in first("li")] == ["compute an alignment;", "read a correlation."]
    assert "25 minutes" in seen(first)
    assert "opening remark" in first.aside.text
    assert "opening remark" not in seen(first)


def test_a_section_shows_its_key_sentences_and_formulas_and_speaks_the_rest(notebook):
    section = frames(page(notebook))["The teacher"]
    assert "Tokens follow time, e.g. in sums" in seen(section)
    assert "second sentence" in seen(section)
    assert r"\frac{a_{23}}" in seen(section)
    assert "third one" not in seen(section)
    assert "third one" in section.aside.text
    assert "spoken_code" in section.aside.text
    assert section.aside.a["href"] == "../notebooks/01_people.html#bank"


def test_figures_and_small_tables_are_kept_whole_and_large_tables_are_named(notebook):
    deck = page(notebook)
    (figure,) = deck.select("figure.deck-figure")
    assert figure.img["alt"] == "A line that <rises>."
    assert figure.img["src"].startswith("data:image/png;base64,")
    assert figure.figcaption.text.count("Time rises.") == 40
    (table,) = deck.select("figure.deck-table")
    assert [cell.text for cell in table.select("tbody tr:last-child td")] == ["0, 3", "1, 3", "2, 3"]
    assert table.select_one(".deck-note").text == "Noted."
    link = frames(deck)["The teacher"].select_one(".deck-aside a")
    assert link["href"] == f"../notebooks/{CHAPTER}.html#long"
    assert "A long table." in link.parent.text


def test_a_finding_is_seen_where_a_section_shows_nothing_else(notebook):
    assert "is 0.25." in seen(frames(page(notebook))["Said"])
    assert "is 0.25" not in seen(frames(page(notebook))["The teacher"])


def test_an_exercise_shows_its_task_and_no_deck_its_solution(notebook):
    html = slides.deck(notebook, CHAPTER)
    deck = BeautifulSoup(html, "html.parser")
    task = frames(deck)["Exercise 4.1: Raw or log? (5 minutes)"]
    assert "Think hard." in seen(task)
    assert SECRET not in html
    assert "key(" not in html


def test_tags_overrule_what_a_cell_would_be(notebook):
    html = slides.deck(notebook, CHAPTER)
    deck = frames(BeautifulSoup(html, "html.parser"))
    assert "hush" not in html
    assert "unseen" not in html
    assert "By hand" not in deck
    assert seen(deck["A slide of its own"]).count("All of this is seen.") == 30
    shown_code = [frame for frame in BeautifulSoup(html, "html.parser").select(".frame-code pre")]
    assert [pre.text.strip() for pre in shown_code] == ["visible = 1  # seen"]


def test_a_slide_tag_shows_what_code_put_out():
    said = output(show.say, "All {n} of it. And more.", n=3)
    printed = v4.new_output("stream", text=f"printed {EVIL}")
    table = output(show.table, frame(12, 2), "A long table.")
    deck = page(v4.new_notebook(cells=[markdown("# T"), code("x", [said, printed, table], "slide")]))
    assert "And more." in deck.text
    assert deck.select_one(".frame-text pre").text == f"printed {EVIL}"
    assert len(deck.select("tbody tr")) == 12


def test_the_last_slide_leads_to_book_and_notebook(notebook):
    links = [link["href"] for link in page(notebook).select(".frame-end a")]
    assert links == [address.book(f"notebooks/{CHAPTER}"), address.colab(address.student(CHAPTER))]


def test_the_last_slide_names_no_notebook_where_there_is_none(notebook):
    html = slides.deck(notebook, CHAPTER, student=False)
    assert [link["href"] for link in BeautifulSoup(html, "html.parser").select(".frame-end a")] == [
        address.book(f"notebooks/{CHAPTER}")
    ]


def test_what_is_folded_is_for_the_speaker():
    fold = "<details>\n<summary>Worked answer</summary>\n\nIt is **half**.\n\n</details>"
    question = output(
        show.say, f"### Question 1.1\n\n*Recall, 2 minutes*\n\nHow much of {{what}}?\n\n{fold}", what="<b>"
    )
    cells = [
        markdown(f"# T\n\n**On this page you can**\n\n- see all aims;\n\n{fold.replace('half', 'aside')}"),
        code("ask()", [question]),
        markdown(f"### Exercise 1.1\n\nDo it.\n\n{fold.replace('half', SECRET)}", "exercise"),
    ]
    deck = page(v4.new_notebook(cells=cells))
    found = frames(deck)
    assert "see all aims" in seen(found["T"])
    assert "How much of <b>?" in seen(found["Question 1.1"])
    assert "half" not in seen(found["Question 1.1"])
    assert found["Question 1.1"].aside.strong.text == "Worked answer"
    assert "It is half." in found["Question 1.1"].aside.text
    assert "aside" in found["T"].aside.text
    assert SECRET not in deck.text
    assert "details" not in deck.text


def test_nothing_untrusted_becomes_markup(notebook):
    deck = page(notebook)
    assert not deck.find_all(attrs={"onerror": True})
    assert "hacked" not in "".join(script.text for script in deck("script"))
    assert [image["alt"] for image in deck("img")] == ["A line that <rises>."]
    assert "hacked=1" in deck.text


@given(st.text())
def test_markdown_lets_no_tag_through(text):
    html = BeautifulSoup(
        slides_text.to_html(f"{text} <script>x</script> <img src=x>", CHAPTER), "html.parser"
    )
    assert html.find(["script", "img"]) is None


@given(st.text(alphabet="aB .!?$`()[]*\\n0", max_size=60))
def test_sentences_lose_nothing(text):
    assert "".join("".join(slides_text.sentences(text)).split()) == "".join(text.split())


# one letter with a full stop is an initial
@given(st.lists(st.text("abc", min_size=2).map(str.capitalize), min_size=1, max_size=5))
def test_sentences_are_found(words):
    assert slides_text.sentences(". ".join(words) + ".") == [f"{word}." for word in words]


@pytest.mark.parametrize(
    "text",
    [
        "Take sums, e.g. Those of digits.",
        "It is 3.5 s (see below. Really).",
        "Use `a. B` and $x. Y$ and [a. B](c.html).",
    ],
)
def test_a_stop_inside_ends_no_sentence(text):
    assert len(slides_text.sentences(text)) == 1


@given(st.text(alphabet="aB two.!?: \\n", max_size=60))
def test_a_key_and_its_rest_are_the_paragraph(text):
    key, rest = slides_text.key(text)
    assert "".join((key + rest).split()) == "".join(text.split())
    assert not rest or not slides_text.hangs(slides_text.sentences(key)[-1])


@pytest.mark.parametrize(
    ("sentence", "hangs"),
    [
        ("What else?", True),
        ("Four tools help:", True),
        ("*Why?*", True),
        ("There are five.", True),
        ("There are five reasons why the result is what it is, and all of them are known.", False),
        ("It is 0.5.", False),
    ],
)
def test_a_sentence_that_only_points_ahead_hangs(sentence, hangs):
    assert slides_text.hangs(sentence) is hangs


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("01_people.ipynb", "../notebooks/01_people.html"),
        ("../book/data_cards", "../book/data_cards.html"),
        ("../book/glossary.md#rt", "../book/glossary.html#rt"),
        ("#tall", f"../notebooks/{CHAPTER}.html#tall"),
        ("https://example.org/a", "https://example.org/a"),
    ],
)
def test_links_lead_from_the_deck_to_the_pages(target, expected):
    assert slides_text.page_address(target, CHAPTER) == expected


def test_roles_keep_their_words():
    html = slides_text.to_html("A {term}`noise ceiling<ceiling>` {cite}`who2020` and {doc}`x </y>`.", CHAPTER)
    assert BeautifulSoup(html, "html.parser").text.split() == ["A", "noise", "ceiling", "and", "x."]


def told(*cells):
    """The slides of one section, as lists of what is seen."""
    _, *made = plan(v4.new_notebook(cells=[markdown("# T\n\n## S"), *cells]), CHAPTER)
    return [[piece.content for piece in slide.pieces] for slide in made]


@given(st.integers(1, 12), st.booleans())
def test_a_list_is_seen_with_its_announcement_and_says_what_is_missing(count, computed):
    source = "\n".join(f"- Item {i}. More." for i in range(count))
    if computed:
        rules = code("say()", [output(show.say, line) for line in source.splitlines()])
    else:
        rules = markdown(source)
    ((key, seen),) = told(markdown("A rule decides. There are some:"), rules)
    assert key.endswith("There are some:")
    assert seen.splitlines()[: min(count, 5)] == [
        f"- Item {i}.{' More.' * computed}" for i in range(min(count, 5))
    ]
    assert ("… and" in seen) == (count > 5)
    assert count <= 5 or seen.endswith(f"… and {count - 5} more [in the book]({CHAPTER}.ipynb)")


def test_a_list_further_down_brings_its_announcement():
    steps = markdown("Not this. One rule decides all.\n\n1. First. Why.\n2. Then.")
    ((_, lead, seen),) = told(markdown("An opening of some words. And its second. " + "Long. " * 40), steps)
    assert (lead, seen) == ("One rule decides all.", "- First.\n- Then.")


def test_computed_sentences_are_seen_together():
    first = code("say()", [output(show.say, "The r is {r}. High.", r=0.9)])
    warning = code("say()", [output(show.say, "Without items it is {r}.", r=0.8)])
    silent = code("say()", [output(show.say, "Nothing can be said of x.")])
    ((*_, found, careful),) = told(
        markdown("How high is it? Look."), first, markdown("Careful."), warning, silent
    )
    assert (found, careful) == ("The r is 0.90. High.", "Without items it is 0.80.")


def test_more_findings_than_a_slide_holds_are_counted():
    said = [output(show.say, "The {n} th.", n=n) for n in range(7)]
    ((_, *found, more),) = told(markdown("A key."), code("say()", said))
    assert found == [f"The {n} th." for n in range(5)]
    assert BeautifulSoup(more, "html.parser").text == "And 2 more in the book."


def test_few_words_stand_above_the_figure_and_many_before_it():
    drawn = code("draw()", [figure("It rises.")])
    ((text, picture),) = told(markdown("A claim."), drawn)
    assert text == "A claim."
    assert "deck-figure" in picture
    many = "A " + "long " * 50 + "sentence."
    assert [len(seen) for seen in told(markdown(many), drawn)] == [1, 1]


def test_a_slide_does_not_end_on_a_question():
    assert told(markdown("It differs. By how much?"), markdown("By half. Look. No more.")) == [
        ["It differs. By how much?", "By half. Look."]
    ]
    slides_made = plan(
        v4.new_notebook(cells=[markdown("# T\n\n## S\n\nWhy?"), markdown("## U\n\nA.")]), CHAPTER
    )
    assert [slide.heading for slide in slides_made] == ["T", "U"]
    assert slides_made[0].notes == ["Why?"]


def test_a_heading_without_a_body_gives_no_slide_and_the_next_one_takes_its_place():
    cells = [markdown("# T\n\n## Claims"), code("say()", [output(show.say, "### First\n\nIt holds.")])]
    assert [(slide.heading, slide.stacked) for slide in plan(v4.new_notebook(cells=cells), CHAPTER)] == [
        ("T", False),
        ("First", False),
    ]


def test_words_before_an_exercise_are_spoken():
    cells = [
        markdown("# T\n\n## Exercises\n\nPut your answer in."),
        markdown("### One\n\n" + "Do it. " * 40, "exercise"),
    ]
    _, task = plan(v4.new_notebook(cells=cells), CHAPTER)
    assert (task.kind, task.stacked, task.notes) == ("exercise", False, ["Put your answer in."])


def test_a_figure_of_many_rows_is_left_to_the_book():
    drawn = code("draw()", [figure("Each row is a pair. Bars.", size=(8, 14), name="rows")])
    ((aside,),) = told(drawn)
    line = BeautifulSoup(aside, "html.parser")
    assert line.a["href"] == f"../notebooks/{CHAPTER}.html#rows"
    assert line.text.endswith("in the book: Each row is a pair.")


@pytest.mark.parametrize("count", [4, 5, 9])
def test_of_a_run_of_figures_the_first_two_are_seen(count):
    drawn = [figure(f"Study {i} of {count} rises.", name=f"run-{count}-{i}") for i in range(count)]
    made = told(code("draw()", drawn))
    assert len(made) == (4 if count == 4 else 2)
    aside = BeautifulSoup(made[-1][-1], "html.parser")
    assert (f"{count - 2} more such figures in the book." == aside.text) == (count > 4)
    assert count == 4 or aside.a["href"].endswith(f"#run-{count}-2")


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4), st.text("ab<&>\"'", min_size=1))
def test_a_table_is_read_as_it_was_shown(cells, caption):
    found = shown(output(show.table, pd.DataFrame({"x": cells, "n": 1.5}), caption)["data"]["text/html"])
    assert isinstance(found, Table)
    assert found.caption == caption
    assert [row[0].text.split() for row in found.rows] == [cell.split() for cell in cells]
    assert [row[1].right for row in found.rows] == [True] * len(cells)
    again = BeautifulSoup(found.html(), "html.parser")
    assert [row.td.text for row in again.tbody("tr")] == [row[0].text for row in found.rows]


def test_other_html_is_neither_figure_nor_table():
    assert shown("<p>text</p>") is None
    assert shown('<figure class="handan-figure"><figcaption>x</figcaption></figure>') is None
    found = shown(figure('Rises, says "<who>".', "A <line>", name="rise")["data"]["text/html"])
    assert isinstance(found, Figure)
    assert (found.caption, found.alt, found.name) == ('Rises, says "<who>".', "A <line>", "rise")


def test_a_deck_is_the_same_each_time_and_leaves_the_notebook_alone(notebook):
    before = nbformat.writes(notebook)
    assert slides.deck(notebook, CHAPTER) == slides.deck(notebook, CHAPTER)
    assert nbformat.writes(notebook) == before


def executed(root, notebook):
    """A project whose only chapter was executed."""
    (root / "book").mkdir(parents=True)
    (root / "book" / "_toc.yml").write_text(f"root: notebooks/{CHAPTER}\n")
    project = Project(root)
    project.executed(CHAPTER).parent.mkdir(parents=True)
    nbformat.write(notebook, project.executed(CHAPTER))
    return project


def test_a_chapter_without_outputs_and_a_project_without_reveal_are_named(notebook, tmp_path, root):
    project = executed(tmp_path / "p", notebook)
    with pytest.raises(ProjectError, match=r"no book/static/slides/reveal\.js"):
        slides.write(project, tmp_path / "decks")
    shutil.copytree(root / "book/static/slides", tmp_path / "p/book/static/slides")
    project.executed(CHAPTER).unlink()
    with pytest.raises(BookError, match=f"{CHAPTER} was not executed, so it has no slides"):
        slides.write(project, tmp_path / "decks")


# In a browser


@pytest.fixture(scope="module")
def site(tmp_path_factory, root):
    """An empty site that has the book's MathJax."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(root / "book/static/vendor/mathjax", folder / "mathjax")
    return folder


@pytest.fixture(scope="module")
def deck(notebook, site, tmp_path_factory, root):
    """The deck of the made-up chapter, on a site."""
    project = executed(tmp_path_factory.mktemp("project") / "p", notebook)
    shutil.copytree(root / "book/static/slides", project.root / "book/static/slides")
    (made,) = slides.write(project, site / "slides")
    return made


@pytest.mark.browser
def test_every_slide_holds_what_is_on_it(deck, site, open_deck, serve):
    tab, faults = open_deck(f"{serve(site)}/slides/{deck.name}")
    assert tab.evaluate("Reveal.getTotalSlides()") == 10
    assert tab.evaluate(WALK) == {}
    assert tab.locator("mjx-container").count() > 2
    assert tab.evaluate("typeof hacked") == "undefined"
    assert faults == []


@pytest.mark.browser
def test_a_deck_opens_from_a_folder_and_on_a_phone(deck, open_deck):
    tab, faults = open_deck(deck.as_uri())
    assert tab.evaluate(WALK) == {}
    assert tab.evaluate("getComputedStyle(document.querySelector('.frame')).width") == "1280px"
    tab.set_viewport_size({"width": 390, "height": 800})
    tab.wait_for_function("Reveal.isScrollView()")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert faults == []


@pytest.mark.browser
def test_a_deck_without_the_book_beside_it_still_opens(deck, tmp_path, open_deck):
    shutil.copytree(deck.parent, tmp_path / "alone" / "slides")
    tab, faults = open_deck((tmp_path / "alone" / "slides" / deck.name).as_uri())
    tab.keyboard.press("ArrowRight")
    assert r"\frac{a_{23}}" in tab.locator(".present .frame").first.inner_text()
    assert all("mathjax" in fault or "ERR_FILE_NOT_FOUND" in fault for fault in faults)


@pytest.mark.browser
def test_keyboard_and_focus(deck, open_deck):
    tab, _ = open_deck(deck.as_uri())
    tab.keyboard.press("End")
    assert tab.locator("section.present .frame-end").count() == 1
    tab.keyboard.press("Home")
    tab.keyboard.press(" ")
    assert tab.evaluate("Reveal.getSlidePastCount()") == 1
    tab.wait_for_function("location.hash === '#/1'")
    tab.keyboard.press("ArrowRight")
    assert tab.locator("section.present .frame-figure").count() == 1
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate("Reveal.getSlidePastCount()") == 1
    tab.keyboard.press("Escape")
    assert tab.evaluate("Reveal.isOverview()")
    tab.keyboard.press("Escape")
    tab.keyboard.press("End")
    tab.keyboard.press("Tab")
    focused = tab.evaluate(
        "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
    )
    assert focused == ["A", "solid"]


@pytest.mark.browser
def test_the_speaker_reads_the_notes_in_a_window_of_their_own(deck, open_deck):
    tab, faults = open_deck(deck.as_uri())
    with tab.context.expect_page() as opened:
        tab.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("An opening remark.").wait_for()
    tab.keyboard.press("ArrowRight")
    notes.get_by_text("A third one is only spoken.").wait_for()
    assert faults == []


@pytest.mark.browser
def test_the_print_view_has_a_page_for_each_slide(deck, open_deck):
    pypdf = pytest.importorskip("pypdf")
    tab, faults = open_deck(f"{deck.as_uri()}?print-pdf")
    tab.wait_for_selector(".pdf-page")
    printed = pypdf.PdfReader(BytesIO(tab.pdf(prefer_css_page_size=True, print_background=True)))
    assert len(printed.pages) == tab.evaluate("document.querySelectorAll('.frame').length")
    assert "Go on" in printed.pages[-1].extract_text()
    assert "only spoken" not in "".join(page.extract_text() for page in printed.pages)
    assert faults == []


def test_initials_end_no_sentence():
    told = "Williams' t, which E. J. Williams proposed, tests it. And so on."
    assert slides_text.sentences(told) == [
        "Williams' t, which E. J. Williams proposed, tests it.",
        "And so on.",
    ]
