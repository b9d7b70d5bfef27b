"""The real book: built as a user builds it, then read as a reader reads it."""

import json
import re
import shutil

import pytest

from handan.book.build import build, plan
from handan.book.project import find_project
from handan.cards import cards
from handan.costs import studies

STUDIES = ["03_costs", "04_alignment", "05_collapse", "06_transfer"]  # these take the parameter study
TRACES = ["02_traces", "03_costs", "09_organism"]  # these ask a model
CHAPTERS = ["01_people", "02_traces", *STUDIES, "09_organism", "full_experiment"]


@pytest.fixture(scope="module")
def book(root):
    """Execute what is out of date in this checkout, and render."""
    return build(root, cards=cards(), say=lambda line: None)


@pytest.fixture(scope="module")
def copy(root, book, tmp_path_factory):
    """The built checkout once more, to change."""
    target = tmp_path_factory.mktemp("copy") / "handan"
    leave = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "html", "site")
    return shutil.copytree(root, target, ignore=leave)


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
    assert book.pages == len(find_project(root).pages) == 13
    assert book.index.exists()
    assert sorted(book.executed + book.fresh) == CHAPTERS


def test_nothing_is_done_twice(root, book):
    again = build(root, cards=cards(), say=lambda line: None)
    assert (again.executed, again.rendered) == ([], False)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("findings/collapse.py", ["05_collapse"]),
        ("findings/transfer.py", ["06_transfer"]),
        ("findings/contrast.py", ["05_collapse", "06_transfer", "09_organism"]),
        ("findings/alignment.py", [*STUDIES, "09_organism"]),
        ("traces/jobs.py", TRACES),
        ("organism/curve.py", ["09_organism"]),
        ("traces/experiment.py", ["full_experiment"]),
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


def test_the_book_holds_with_a_study_that_has_one_model_and_no_students(copy):
    chosen = {"study": "pnas-r1", "profile": "quick"}
    report = build(copy, only=STUDIES, parameters=chosen, cards=cards(), say=lambda line: None)
    assert report.executed == STUDIES
    text = text_of(copy, "05_collapse")
    assert "In pnas-r1 the claim of functional alignment collapse cannot be told" in text
