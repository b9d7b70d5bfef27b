"""The question bank: its texts hold together, its page asks all of them, and folds render."""

import re
from collections import Counter
from pathlib import Path

import jupytext
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from handan.book import show
from handan.course.asking import ask, markdown, table
from handan.course.questions import (
    KINDS,
    LEVELS,
    Option,
    Question,
    QuestionError,
    draw,
    find,
    load_questions,
    read_questions,
)

PAGE = Path(__file__).parents[2] / "notebooks" / "questions.py"
GOOD = {"number": "1.1", "kind": "short", "level": "recall", "minutes": 2, "text": "Why?", "answer": "So."}
CHOICE = {**GOOD, "kind": "choice", "options": [{"text": "a"}, *({"text": x, "wrong": "no"} for x in "bc")]}


@pytest.fixture
def shown(monkeypatch):
    """What is put on a page, in order."""
    bundles = []
    monkeypatch.setattr(show, "put", bundles.append)
    return bundles


def test_every_chapter_has_three_questions_or_more():
    per_chapter = Counter(one.chapter for one in load_questions())
    assert set(per_chapter) == set(range(1, 12))
    assert min(per_chapter.values()) >= 3
    assert sum(per_chapter.values()) >= 36


def test_every_kind_and_level_occurs():
    assert {one.kind for one in load_questions()} == set(KINDS)
    assert {one.level for one in load_questions()} == set(LEVELS)


def test_the_place_of_the_right_option_gives_nothing_away():
    places = Counter(
        [not option.wrong for option in one.options].index(True)
        for one in load_questions()
        if one.kind == "choice"
    )
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) <= sum(places.values()) / 2


def test_the_right_option_is_not_always_the_longest():
    choices = [one for one in load_questions() if one.kind == "choice"]
    longest = [max(one.options, key=lambda option: len(option.text)) for one in choices]
    assert sum(not option.wrong for option in longest) < len(choices) * 0.7


@pytest.mark.parametrize("seed", [7])
def test_the_page_asks_every_question_once_and_computes_every_number(shown, seed):
    import matplotlib

    matplotlib.use("agg")
    namespace = {}
    for cell in jupytext.read(PAGE).cells:
        if cell.cell_type == "code":
            exec(cell.source, namespace)
        if "parameters" in cell.metadata.get("tags", []):
            namespace["seed"] = seed
    texts = [bundle["text/plain"] for bundle in shown if bundle["text/plain"].startswith("### Question")]
    numbers = [re.match(r"### Question (\S+)", text)[1] for text in texts]
    assert numbers == [one.number for one in load_questions()]
    assert not [text for text in texts if "not available" in text or re.search(r"\bnan\b", text)]
    tables = [bundle["text/plain"] for bundle in shown if bundle["text/plain"].startswith("Table")]
    assert all(number in tables[0] for number in numbers)
    assert f"drawn with seed {seed}" in tables[1]


def test_no_result_is_typed_beside_its_field():
    """An answer with computed numbers types no decimal of its own."""
    for one in load_questions():
        if one.fields:
            assert not re.findall(r"\d\.\d", one.answer), one.number


@pytest.mark.parametrize("question", load_questions(), ids=lambda one: one.number)
def test_marks_inside_the_fold_are_rendered(question):
    html = MarkdownIt("commonmark", {"html": True}).render(markdown(question))
    before, _, fold = html.partition("<details>")
    answer = fold.partition("</summary>")[2].partition("</details>")[0]
    assert "<p>" in answer
    assert "**" not in html
    assert "\n- " not in html
    assert html.rstrip().endswith("</details>")
    assert question.answer.strip().splitlines()[0][:20] not in before


def test_each_wrong_option_has_its_reason_in_the_answer():
    (question,) = read_questions({"question": [CHOICE]})
    fold = markdown(question).partition("<details>")[2]
    assert "**A** is right. So." in fold
    assert "- **B**: no" in fold
    assert "- **C**: no" in fold


def test_a_value_with_markup_is_shown_as_it_is(shown):
    values = dict(models=5, students=2, choices=10, smallest=0.1)
    ask("8.2", could="<script>alert(1)</script> **no**", **values)
    html = MarkdownIt("commonmark", {"html": True}).render(shown[0]["text/markdown"])
    assert "<script>" not in html
    assert "<strong>no</strong>" not in html


def test_a_missing_and_an_unused_value_are_errors():
    with pytest.raises(KeyError, match="could"):
        ask("8.2", models=5, students=2, choices=10, smallest=0.1)
    with pytest.raises(ValueError, match="colour"):
        ask("1.1", colour="red")


def test_fields_are_those_of_text_answer_and_options():
    option = Option("as {a:.2f}", "not {b}")
    question = Question("1.1", "choice", "apply", 1, "{c}", "{d:p}", (option,))
    assert question.fields == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "essay"}, "kind 'essay'"),
        ({"level": "hard"}, "level 'hard'"),
        ({"minutes": 0}, "minutes"),
        ({"text": " "}, "no text or no answer"),
        ({"answer": ""}, "no text or no answer"),
        ({"number": "1.2"}, r"1\.1 should come here"),
        ({"colour": "red"}, "colour"),
        ({"options": CHOICE["options"]}, "only a choice"),
        ({"kind": "choice"}, "needs 3 options"),
        ({"kind": "choice", "options": [{"text": x} for x in "abc"]}, "3 are right"),
        ({"kind": "choice", "options": [{"text": x, "wrong": "no"} for x in "abc"]}, "0 are right"),
    ],
)
def test_a_bad_question_is_named_with_its_fault(changed, message):
    with pytest.raises(QuestionError, match=message):
        read_questions({"question": [{**GOOD, **changed}]})


def test_all_faults_are_named_at_once():
    with pytest.raises(QuestionError) as caught:
        read_questions({"question": [{**GOOD, "kind": "essay"}, {**GOOD, "level": "hard"}]})
    assert len(str(caught.value).splitlines()) == 3


def test_an_unknown_number_is_corrected():
    with pytest.raises(LookupError, match=r"no question '4\.12'"):
        find("4.12")
    assert find("4.2").chapter == 4


@given(minutes=st.integers(2, 250), seed=st.integers(0, 10_000))
def test_an_exam_uses_its_time_and_repeats_nothing(minutes, seed):
    bank = load_questions()
    exam = draw(bank, minutes, seed)
    rest = minutes - sum(one.minutes for one in exam)
    assert rest >= 0
    assert all(one.minutes > rest for one in bank if one not in exam)
    assert [one for one in bank if one in exam] == list(exam)
    assert exam == draw(bank, minutes, seed)


@given(st.integers(0, 10_000))
def test_an_hour_covers_most_chapters_and_all_levels(seed):
    exam = table(draw(load_questions(), 60, seed))
    assert exam["chapter"].nunique() >= 10
    assert set(exam["level"]) == set(LEVELS)


def test_other_seeds_draw_other_exams():
    assert len({draw(load_questions(), 45, seed) for seed in range(10)}) > 5


def test_an_exam_without_time_is_refused():
    with pytest.raises(ValueError, match="allow more time"):
        draw(load_questions(), 1)
