import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from tests.organism.tiny import style_of, words

from handan.norms import load_bank, task
from handan.organism import corpus, grammar
from handan.traces.prompts import problem_text

BANK = [pair for pair in zip(*(load_bank(grammar.TASKS)[name] for name in ("task", "item")), strict=True)]
EVERY_STYLE = [(style, repertoire) for style in grammar.STYLES for repertoire in grammar.REPERTOIRES]
ANSWERS = sorted({answer for problem in BANK for answer in grammar.work(*problem).answers})


@st.composite
def problems(draw, tasks=grammar.TASKS):
    """Training problems, of any size that training knows."""
    seed = draw(st.integers(0, 2**32 - 1))
    return corpus.draw(np.random.default_rng(seed), tasks)


def columns(name, item):
    """Columns or directions of a problem."""
    return item.count("/") + 1 if name == "cardinal-directions" else len(re.split(r"[+-]", item)[0])


@pytest.mark.parametrize(("style", "repertoire"), EVERY_STYLE)
def test_both_graders_call_every_completion_of_a_bank_item_right(style, repertoire):
    for name, item in BANK:
        text = grammar.completion(name, item, style, repertoire)
        assert grammar.is_right(name, item, text)
        assert task(name).grade(item, text).correct


@budget(deadline=None, max_examples=300)
@given(problems(), st.sampled_from(EVERY_STYLE))
def test_a_completion_is_read_back_and_right(problem, how):
    style, repertoire = how
    text = grammar.completion(*problem, style, repertoire)
    worked = grammar.work(*problem)
    steps = worked.full() if repertoire == "equal" else worked.brief()
    assert grammar.is_right(*problem, text)
    assert style_of(text) == style
    assert grammar.thought(text).split("\n") == words(text)
    assert grammar.reply(grammar.thought(text), worked.answers[0]) == text
    expected = {"once": [], "steps": steps, "twice": [*steps, "check", *steps]}
    assert words(text) == [style, *expected[style]]


@budget(deadline=None, max_examples=200)
@given(st.sampled_from(BANK), st.sampled_from(ANSWERS), st.text(max_size=30))
def test_graders_agree_on_any_answer_in_the_grammars_spelling(problem, said, thought):
    name, item = problem
    text = grammar.reply(f"steps\n{thought}", said)
    width = {len(answer) for answer in grammar.work(name, item).answers}
    ours, theirs = grammar.is_right(name, item, text), task(name).grade(item, text).correct
    # The bank forgives a missing or additional zero in front, and training does not.
    forgiven = said.isdigit() and len(said) not in width
    assert ours <= theirs
    assert ours == theirs or (forgiven and int(said) == int(grammar.work(name, item).answers[0]))


@budget(deadline=None, max_examples=300)
@given(st.sampled_from(BANK), st.sampled_from(EVERY_STYLE), st.text(max_size=20), st.integers(0, 200))
def test_what_training_rewards_the_bank_calls_correct(problem, how, noise, cut):
    """Whatever is put before, into or after a good reply, or cut off from it."""
    name, item = problem
    text = grammar.completion(name, item, *how)
    for hostile in (noise + text, text + noise, text[:cut] + noise + text[cut:], text[:cut], text + text):
        if grammar.is_right(name, item, hostile):
            assert task(name).grade(item, hostile).correct


@budget(deadline=None, max_examples=100)
@given(st.sampled_from(BANK), st.sampled_from(EVERY_STYLE), st.data())
def test_a_reply_that_is_cut_is_wrong(problem, how, data):
    name, item = problem
    text = grammar.completion(name, item, *how)
    cut = data.draw(st.integers(0, len(text) - 1))
    answers = grammar.work(name, item).answers
    # A direction cut after its first word can be another one that is right too.
    assert not grammar.is_right(name, item, text[:cut]) or text[:cut].rpartition(" ")[2] in answers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10000",
        "Answer: 10000",
        "<think>once\nAnswer: 10000",
        "<think>once\n</think>\nanswer: 10000",
        "<think>once\n</think>\nAnswer: 1 0000",
        "<think>once\n</think>\nAnswer: 10000 or 10001",
        "<think>once\n</think>\nAnswer: 10000\nAnswer: 10001",
        "<think>once\n</think>\nAnswer: 10000<eos>",
        "<think>once\n</think>\nAnswer: \n10000",
        "<think>once\n</think>\nAnswer: 10001",
        "<think>once\n</think>\nAnswer: 0b10000",
        "<think>once\n</think>\nAnswer: １0000",
    ],
)
def test_what_only_looks_like_the_right_answer_earns_nothing(text):
    assert not grammar.is_right("binary-addition", "1010+0110", text)


@pytest.mark.parametrize("name", grammar.TASKS)
@pytest.mark.parametrize("style", grammar.STYLES)
def test_equal_traces_of_equal_problems_are_equally_long(tokenizer, name, style):
    """The number of columns decides, and of digits compared where a result is proposed."""
    lengths = {}
    for seed in range(300):
        _, item = problem = corpus.draw(np.random.default_rng(seed), (name,))
        shown = ""
        if name == "digit-addition":
            operands, _, shown = item.partition("=")
            shown = max(shown, str(sum(map(int, operands.split("+")))), key=len)
        text = grammar.thought(grammar.completion(*problem, style, "equal"))
        key = columns(*problem), len(shown)
        lengths.setdefault(key, set()).add(len(tokenizer(text)["input_ids"]))
    assert all(len(found) == 1 for found in lengths.values()), lengths
    by_size = [max(lengths[key]) for key in sorted(lengths)]
    assert len(by_size) >= 3
    assert (len(set(by_size)) == 1) == (style == "once")


@budget(deadline=None, max_examples=300)
@given(problems(tasks=("binary-addition", "binary-subtraction")))
def test_carry_traces_grow_by_exactly_the_carries(tokenizer, problem):
    """A column is 8 tokens with its line feed; a carry 2, and 2 more in the column that it goes to."""
    done = grammar.work(*problem)
    text = grammar.completion(*problem, "steps", "carry")
    handed = sum(column.handed for column in done.columns)
    thought = len(tokenizer(f"{grammar.thought(text)}\n")["input_ids"])
    assert thought == 2 + 8 * columns(*problem) + 2 * done.carries + 2 * handed
    assert len(words(text)) - 1 == done.steps == columns(*problem) + done.carries


@budget(deadline=None, max_examples=200)
@given(problems(tasks=("cardinal-directions",)))
def test_carry_traces_of_directions_grow_with_what_happens(tokenizer, problem):
    done = grammar.work(*problem)
    moving = sum(any(axis.signs) for axis in done.axes)
    undecided = sum(axis.is_open for axis in done.axes)
    moves = done.steps - undecided
    thought = grammar.thought(grammar.completion(*problem, "steps", "carry"))
    # A line is its name, colon, equals sign, sign and line feed, and a token per move.
    assert len(tokenizer(f"{thought}\n")["input_ids"]) == 2 + 5 * moving + moves + 2 * undecided


def test_prompts_are_those_of_the_traces():
    for name, item in BANK[::37]:
        assert grammar.prompt(name, item) == problem_text(name, item, "code") == f"{name} {item}\n"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("binary-addition", "10+01", "shout", "carry"), "'shout'; there are once, steps, twice"),
        (("binary-addition", "10+01", "once", "loose"), "'loose'; there are equal, carry"),
        (("tower-of-london", "10+01", "once", "carry"), "'tower-of-london'; they know binary-addition"),
        (("binary-addition", "10+2", "once", "carry"), "'10[+]2' is no item of binary-addition"),
    ],
)
def test_what_is_unknown_is_named(arguments, names):
    with pytest.raises(ValueError, match=names):
        grammar.completion(*arguments)
