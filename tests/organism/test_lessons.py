from collections import Counter
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from tests.organism.tiny import SIZE, TINY

from handan.organism import corpus, grammar
from handan.organism.conditions import BY_NAME
from handan.organism.lessons import Lesson, LessonError, collect, shuffled
from handan.organism.network import fresh
from handan.organism.reinforced import Sample

RECIPE = replace(TINY, few=6, traces=60, many=240)


@pytest.fixture(scope="module")
def lesson(tokenizer, base):
    """Call it with the name of a condition."""
    cache = {}

    def collected(name, recipe=RECIPE):
        if (name, recipe) not in cache:
            cache[name, recipe] = collect(base, tokenizer, BY_NAME[name], recipe)
        return cache[name, recipe]

    return collected


def read(text):
    """Task, item, chain of thought and answer of a text."""
    prompt, told = text
    task, item = prompt.rstrip("\n").split(" ")
    return task, item, grammar.thought(told), told.rpartition("Answer: ")[2]


@budget(deadline=None, max_examples=100)
@given(st.integers(1, 30), st.integers(1, 50), st.integers(0, 99))
def test_every_text_comes_once_before_any_comes_again(texts, size, seed):
    lesson = Lesson([(str(place), "") for place in range(texts)], texts, 1.0)
    batches = list(islice(lesson.batches(np.random.default_rng(seed), size), 7))
    assert [len(batch) for batch in batches] == [size] * 7
    shown = [prompt for batch in batches for prompt, _ in batch]
    for start in range(0, len(shown), texts):
        a_round = shown[start : start + texts]
        assert len(set(a_round)) == len(a_round)


def test_rounds_are_in_another_order_each_time():
    lesson = Lesson([(str(place), "") for place in range(40)], 40, 1.0)
    one, other = islice(lesson.batches(np.random.default_rng(0), 40), 2)
    assert sorted(one) == sorted(other)
    assert one != other


def test_a_lesson_without_texts_is_refused_instead_of_searched_for_ever():
    with pytest.raises(LessonError, match="no traces"):
        next(Lesson([], 0, 0.0).batches(np.random.default_rng(0), 4))


@pytest.mark.parametrize("name", ["student-matched", "student-hard", "student-few"])
def test_what_is_taught_is_right_whole_and_not_held_out(lesson, name):
    taught = lesson(name)
    assert len(taught.texts) == getattr(RECIPE, BY_NAME[name].traces) <= taught.asked
    held_out = set(corpus.held_out_items())
    for text in taught.texts:
        task, item, *_ = read(text)
        assert grammar.is_right(task, item, text[1])
        assert (task, item) not in held_out


def test_mean_tokens_are_those_of_the_replies_with_their_stop_token(lesson, tokenizer):
    taught = lesson("student-matched")
    lengths = [len(tokenizer(told)["input_ids"]) + 1 for _, told in taught.texts]
    # A model may spell a word out that is a token of its own: then what it wrote is longer.
    assert np.mean(lengths) <= taught.mean_tokens <= np.mean(lengths) + 0.5


def test_few_matched_and_many_nest(lesson):
    few, matched, many = (lesson(f"student-{name}").texts for name in ("few", "matched", "many"))
    assert (len(few), len(matched), len(many)) == (6, 60, 240)
    assert few == matched[:6]
    assert matched == many[:60]
    assert len(set(many)) > 100


def test_half_and_returned_learn_from_the_same_traces_as_their_counterparts(lesson):
    assert lesson("student-half").texts == lesson("student-matched").texts


def test_hard_traces_are_of_hard_problems_only(lesson):
    least = corpus.hardness("digit-addition", RECIPE.hard, RECIPE.largest)
    steps = [
        [grammar.work(*read(text)[:2]).steps for text in lesson(f"student-{name}").texts]
        for name in ("hard", "matched")
    ]
    assert min(steps[0]) >= least > min(steps[1])


def test_traces_of_one_task_are_of_that_task_alone(tokenizer, monkeypatch):
    """Which problems are asked; who answers does not matter here."""
    asked = []

    def right(teacher, tokenizer, problems, **settings):
        asked.extend(problems)
        return [made(problem) for problem in problems]

    monkeypatch.setattr("handan.organism.lessons.sample", right)
    recipe = replace(RECIPE, tasks=grammar.TASKS, largest=4)
    texts = {
        name: collect(None, tokenizer, BY_NAME[name], recipe).texts
        for name in ("student-onetask", "student-matched")
    }
    assert {read(text)[0] for text in texts["student-onetask"]} == {"binary-addition"}
    assert {read(text)[0] for text in texts["student-matched"]} == set(grammar.TASKS)
    assert len(asked) >= 120


def made(problem, style="steps"):
    """A right reply of nobody."""
    text = grammar.completion(*problem, style, "carry")
    return Sample(problem, [1], [2] * len(text), text, True, True)


@st.composite
def kept(draw):
    """Traces of a few tasks, the same problem now and again, none of them more than half."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    traces = []
    for task in draw(st.lists(st.sampled_from(grammar.TASKS), min_size=1, unique=True)):
        problems = {corpus.draw(rng, (task,)) for _ in range(draw(st.integers(2, 12)))}
        while len(problems) < 2:
            problems.add(corpus.draw(rng, (task,)))
        most = draw(st.integers(1, 3))
        traces += [
            made(problem, str(rng.choice(grammar.STYLES)))
            for problem in sorted(problems)
            for _ in range(most)
        ]
    return [traces[place] for place in rng.permutation(len(traces))]


@budget(deadline=None, max_examples=100)
@given(kept(), st.integers(0, 99))
def test_shuffled_chains_stand_with_another_problem_and_its_right_answer(traces, seed):
    texts = shuffled(traces, seed)
    assert texts == shuffled(traces, seed)
    assert len(texts) == len(traces)
    own, lent = Counter(), Counter()
    chains = {}
    for one in traces:
        own[one.problem[0], grammar.thought(one.text)] += 1
        chains.setdefault(one.problem, set()).add(grammar.thought(one.text))
    for text in texts:
        task, item, thought, answer = read(text)
        assert answer in grammar.work(task, item).answers
        assert grammar.is_right(task, item, text[1])
        # The chain is a different problem's; only "once", which says nothing, is everyone's.
        owners = {problem for problem, told in chains.items() if problem[0] == task and thought in told}
        assert owners - {(task, item)}
        lent[task, thought] += 1
    assert lent == own
    assert Counter(read(text)[:2] for text in texts) == Counter(one.problem for one in traces)


def test_nobody_keeps_a_chain_of_their_own_problem():
    """Chains that can be told apart: each names its problem."""
    rng = np.random.default_rng(0)
    problems = [corpus.draw(rng, ("binary-addition",), largest=2) for _ in range(200)]
    traces = [
        Sample(problem, [1], [2], grammar.reply(f"steps\n{problem[1]} {place}", "0"), True, True)
        for place, problem in enumerate(problems)
    ]
    assert max(Counter(problems).values()) > 10
    texts = shuffled(traces, 0)
    assert len({thought for _, _, thought, _ in map(read, texts)}) == 200
    assert all(item not in thought.split() for _, item, thought, _ in map(read, texts))


def test_shuffled_students_see_the_problems_of_the_matched_ones(lesson):
    mixed, matched = (lesson(f"student-{name}").texts for name in ("shuffled", "matched"))
    assert sorted(prompt for prompt, _ in mixed) == sorted(prompt for prompt, _ in matched)
    assert sorted(read(text)[2] for text in mixed) == sorted(read(text)[2] for text in matched)
    assert lesson("student-shuffled").mean_tokens == lesson("student-matched").mean_tokens
    assert mixed != matched


def test_too_few_different_problems_to_shuffle_are_told():
    one, other = ("binary-addition", "01+10"), ("binary-addition", "11+10")
    with pytest.raises(LessonError, match="2 of 3 traces are of one problem of binary-addition"):
        shuffled([made(one), made(one), made(other)], 0)


def test_a_teacher_that_is_never_right_is_given_up(tokenizer):
    nobody = fresh(SIZE, tokenizer, 0)
    recipe = replace(RECIPE, traces=2, reinforced=replace(TINY.reinforced, max_new_tokens=8))
    with pytest.raises(LessonError, match=r"student-matched: only 0 of 1024 traces .* 2 are wanted"):
        collect(nobody, tokenizer, BY_NAME["student-matched"], recipe)
