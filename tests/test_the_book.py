"""The real book: built as a user builds it, then read as a reader reads it."""

import json
import re
import shutil

import jupytext
import pytest
from bs4 import BeautifulSoup
from tests.book.deck import WALK
from tests.findings.simulated import Truth, lineage_of, tables

from handan.book.build import build, plan
from handan.book.dress import SLIDES
from handan.book.project import find_project
from handan.cards import cards
from handan.costs import studies
from handan.course.drift import drift, records
from handan.course.outline import read

EARLY = ["03_costs", "04_alignment", "05_collapse", "06_transfer"]
LATE = ["07_inflation", "08_geometry"]
LAST = ["10_multiverse", "11_claims"]
STUDIES = [*EARLY, *LATE, *LAST]  # these take the parameter study
# these ask a model, or import what does
TRACES = ["explorer", "02_traces", "03_costs", *LATE, "09_organism", *LAST, "your_models", "questions"]
ASIDE = ["your_models", "full_experiment"]
CHAPTERS = ["explorer", "01_people", "02_traces", *EARLY, *LATE, "09_organism", *LAST, *ASIDE, "questions"]


@pytest.fixture(scope="module")
def book(root):
    """Execute what is out of date in this checkout, and render."""
    return build(root, cards=cards(), say=lambda line: None)


@pytest.fixture(scope="module")
def copied(root, book, tmp_path_factory):
    """Copy the built checkout, to change it: no test sees what another has changed."""
    leave = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "html", "site")
    return lambda: shutil.copytree(root, tmp_path_factory.mktemp("copy") / "handan", ignore=leave)


@pytest.fixture(scope="module")
def copy(copied):
    """One copy for all tests that leave it as it was."""
    return copied()


def text_of(root, chapter):
    """What a chapter displayed, as plain text."""
    notebook = json.loads((root / f"_build/executed/notebooks/{chapter}.ipynb").read_text())
    shown = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            shown.append("".join(data.get("text/plain", output.get("text", ""))))
    return "\n".join(shown).replace("\u00a0", " ")


def test_every_page_is_there(root, book):
    assert book.pages == len(find_project(root).pages) == 22
    assert book.index.exists()
    assert sorted(book.executed + book.fresh) == sorted(CHAPTERS)


def test_nothing_is_done_twice(root, book):
    again = build(root, cards=cards(), say=lambda line: None)
    assert (again.executed, again.rendered) == ([], False)


def test_exercises_answers_and_copies_go_together(root, book):
    """What Colab opens, what the checks know, and what the executed chapters say."""
    project = find_project(root)
    assert drift(project) == []
    assert len(records(project)) > 20


def test_the_teach_page_names_chapters_and_exercises_as_they_are_called(root, book):
    project = find_project(root)
    page = BeautifulSoup((project.html / "book/teach.html").read_text(encoding="utf-8"), "html.parser")
    text = " ".join(page.article.get_text().split())
    outlines = [read(project, chapter) for chapter in STUDIES]
    for one in outlines:
        titles = [link.get_text() for link in page.select(f'td a[href$="{one.chapter}.html"]')]
        assert one.title.replace("'", "’") in titles
        for task in one.exercises:
            assert f"{task.id} {task.title}".replace("'", "’") in text
    assert "\\" not in text


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("findings/collapse.py", ["05_collapse", "07_inflation", *LAST, "your_models"]),
        ("findings/transfer.py", ["06_transfer", "07_inflation", *LAST, "your_models"]),
        ("findings/contrast.py", ["05_collapse", "06_transfer", "07_inflation", *LAST, "your_models"]),
        (
            "findings/alignment.py",
            ["explorer", *EARLY, "09_organism", "11_claims", "your_models", "questions"],
        ),
        ("findings/geometry.py", ["08_geometry", "11_claims"]),
        ("traces/jobs.py", TRACES),
        ("organism/curve.py", ["09_organism"]),
        ("traces/experiment.py", ["full_experiment"]),
        ("explorer/figure.py", ["explorer"]),
        ("course/asking.py", ["questions"]),
        ("cli.py", []),
    ],
)
def test_a_changed_module_makes_stale_what_imports_it(copy, module, expected):
    path = copy / "src/handan" / module
    before = path.read_text()
    path.write_text(before + "\n# changed\n")
    try:
        stale = [one.chapter for one in plan(copy) if one.reasons]
    finally:
        path.write_text(before)
    assert stale == expected


def test_the_alignment_chapter_prints_the_published_numbers(root, book):
    text = text_of(root, "04_alignment")
    for r in ("0.628", "0.602", "0.566", "0.894", "0.609", "0.371", "0.942"):
        assert re.search(rf"(?<![\d.]){re.escape(r)}(?!\d)", text), r


def test_traces_are_made_interrupted_and_counted_on_this_machine(root, book):
    text = text_of(root, "02_traces")
    asked = int(re.search(r"([\d,]+) traces with [\d,]+ tokens were written", text)[1].replace(",", ""))
    assert re.search(rf"30 traces were on disk. The same call again wrote the other {asked - 30}", text)
    assert f"A third call wrote 0. {asked} of {asked} requests are there exactly once." in text
    assert "24 of 24 answers are the same, token by token" in text
    counted = text_of(root, "03_costs")
    assert re.search(r"In (\d+) of \1 closed traces the three parts add up to the whole", counted)


@pytest.mark.parametrize("chapter", ["05_collapse", "06_transfer"])
def test_every_study_gets_a_verdict_in_words(root, book, chapter):
    text = text_of(root, chapter)
    claim = {"05_collapse": "functional alignment collapse", "06_transfer": "negative transfer"}[chapter]
    verdict = rf"claim of {claim} (is supported here|is not supported here|can be neither|cannot be told)"
    for study in studies():
        sentences = [line for line in text.splitlines() if re.search(rf"In {study}\b", line)]
        assert any(re.search(verdict, line) for line in sentences), study


def test_the_page_says_where_a_baseline_beats_the_teachers(root, book):
    text = text_of(root, "06_transfer")
    assert re.search(
        r"In mip-gsm8k the baseline Qwen2.5-32B-Instruct .* is ahead of the teacher DeepSeek-R1", text
    )
    assert re.search(
        r"In mip-gsm8k the baseline Qwen2.5-32B-Instruct .* is ahead of the teacher QwQ-32B", text
    )


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_opens_cleanly(root, book, serve, visitor, width):
    with visitor(serve(root / "_build/html"), width) as open_page:
        for name in find_project(root).pages:
            page, outside, complaints = open_page(name)
            assert (outside, complaints) == ([], []), name
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
            assert page.locator("article h1").count() == 1, name
            assert page.locator("main img:not([alt])").count() == 0, name


@pytest.mark.browser
def test_every_deck_shows_all_that_is_on_it(root, book, open_deck):
    project = find_project(root)
    for chapter in CHAPTERS:
        tab, faults = open_deck((project.html / SLIDES / f"{chapter}.html").as_uri())
        assert (chapter, tab.evaluate(WALK), faults) == (chapter, {}, [])
        assert tab.locator("aside.notes").count() > 2
        pictured = tab.locator(".frame-figure img, .frame-table table").count()
        assert pictured > 0 or not chapter[0].isdigit()
        tab.close()


def test_the_book_holds_with_a_study_that_has_one_model_and_no_students(copied):
    copy = copied()
    chosen = {"study": "pnas-r1", "profile": "quick"}
    report = build(copy, only=STUDIES, parameters=chosen, cards=cards(), say=lambda line: None)
    assert report.executed == STUDIES
    text = text_of(copy, "05_collapse")
    assert "In pnas-r1 the claim of functional alignment collapse cannot be told" in text


def test_no_number_on_the_claims_page_is_typed(root):
    """Prose may count words; every figure comes from the call that the command makes too."""
    source = (root / "notebooks/11_claims.py").read_text()
    prose = [line for line in source.split("# %%", 2)[2].splitlines() if line.startswith("# ")]
    prose = [line for line in prose if not re.match(r"# ### Exercise 11\.\d: \D+\(\d+ minutes\)$", line)]
    typed = [line for line in prose if re.search(r"\d", line)]
    assert typed == []


def shown_by(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    return "\n".join(
        "".join(output.get("data", {}).get("text/plain", ""))
        for cell in cells
        for output in cell.get("outputs", [])
    ).replace("\u00a0", " ")


def test_another_input_gives_another_claims_page(root, tmp_path):
    """The page is a function of the three tables: change one of them, and the page says so."""
    import papermill

    costs, norms = tables(Truth(n_items=120))
    pages = []
    for k, student in enumerate((0.34, 0.90)):
        changed, _ = tables(Truth(n_items=120, student=student))
        files = {"costs": changed if k else costs, "norms": norms, "lineage": lineage_of()}
        parameters = {"profile": "quick"}
        for name, table in files.items():
            path = tmp_path / f"{name}{k}.csv"
            table.to_csv(path, index=False)
            parameters[f"{name}_file"] = str(path)
        source = jupytext.read(root / "notebooks/11_claims.py")
        jupytext.write(source, tmp_path / "page.ipynb")
        out = tmp_path / f"page{k}.ipynb"
        papermill.execute_notebook(
            tmp_path / "page.ipynb", out, parameters, kernel_name="python3", progress_bar=False
        )
        pages.append(shown_by(out))
    before, after = pages
    told = [re.findall(r"In made-up .* we get (.*?), the claim is", page) for page in pages]
    assert len(told[0]) == len(told[1]) > 5
    assert "the claim is above 0: supported" in before
    assert "the claim is 0.30: not supported" in after
    teachers, students = ([float(page[k].split()[0]) for page in told] for k in (0, 1))
    assert teachers[0] == teachers[1]  # what was not changed says the same
    assert students[1] - students[0] > 0.4
