from collections import Counter
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from tests.organism.tiny import style_of

from handan.norms import load_bank
from handan.organism import corpus, grammar
from handan.organism.recipe import FULL, QUICK, Supervised

tasks = st.lists(st.sampled_from(grammar.TASKS), min_size=1, unique=True).map(tuple)
recipes = st.builds(
    lambda tasks, seed, largest, growth, repertoire: replace(
        FULL, tasks=tasks, seed=seed, largest=largest, growth=growth, repertoire=repertoire
    ),
    tasks, st.integers(0, 10**6), st.integers(2, 6), st.floats(0, 1), st.sampled_from(grammar.REPERTOIRES),
)  # fmt: skip


def given_away():
    """Every code that shows a held-out item: in either order, with either sign, whatever is proposed."""
    codes = set()
    for task, item in corpus.held_out_items():
        if task == "cardinal-directions":
            codes.add((task, item))
            continue
        first, second = item.partition("=")[0].replace("-", "+").split("+")
        same = ("digit-addition",) if task == "digit-addition" else ("binary-addition", "binary-subtraction")
        codes |= {(name, *pair) for name in same for pair in ((first, second), (second, first))}
    return codes


HIDDEN = given_away()


def code(task, item):
    if task == "cardinal-directions":
        return task, item
    return task, *item.partition("=")[0].replace("-", "+").split("+")


def prompts(batches):
    return [tuple(prompt.rstrip("\n").split(" ")) for batch in batches for prompt, _ in batch]


def test_half_of_each_kind_of_problem_is_held_out():
    bank = load_bank(grammar.TASKS)
    unseen = corpus.held_out_items()
    assert len(set(unseen)) == len(unseen)
    share = Counter(task for task, _ in unseen)
    for task, items in bank["task"].value_counts().items():
        assert share[task] / items == pytest.approx(0.5, abs=0.02)
    assert corpus.held_out_items(("cardinal-directions",)) == [
        one for one in unseen if one[0] == "cardinal-directions"
    ]


def test_an_item_is_held_out_with_all_that_give_it_away():
    items = zip(load_bank(grammar.TASKS)["task"], load_bank(grammar.TASKS)["item"], strict=True)
    unseen = set(corpus.held_out_items())
    assert all((one in unseen) == (code(*one) in HIDDEN) for one in items)


@budget(deadline=None, max_examples=40)
@given(recipes, st.booleans(), tasks)
def test_no_training_problem_gives_a_held_out_item_away(recipe, hard, others):
    texts = corpus.texts(recipe, 20, steps=4)
    shown = prompts(islice(texts, 6))
    rng = np.random.default_rng(recipe.seed)
    shown += islice(corpus.problems(rng, recipe, hard=hard), 60)
    shown += islice(corpus.problems(rng, recipe, hard=hard, tasks=others), 60)
    assert not {code(*problem) for problem in shown} & HIDDEN


def test_thousands_of_draws_show_every_other_item_of_the_bank_and_no_held_out_one():
    rng = np.random.default_rng(0)
    bank = set(zip(load_bank(grammar.TASKS)["task"], load_bank(grammar.TASKS)["item"], strict=True))
    binary = {one for one in bank if one[0] != "digit-addition"}
    shown = {corpus.draw(rng, grammar.TASKS) for _ in range(30_000)}
    assert not {code(*problem) for problem in shown} & HIDDEN
    assert shown >= binary - set(corpus.held_out_items())


@budget(deadline=None, max_examples=40)
@given(recipes)
def test_the_same_seed_gives_the_same_texts_and_another_seed_others(recipe):
    def drawn(one):
        rng = np.random.default_rng(one.seed)
        return (
            list(islice(corpus.texts(one, 8, steps=3), 4)),
            list(islice(corpus.problems(rng, one), 8)),
        )

    assert drawn(recipe) == drawn(recipe)
    assert drawn(recipe) != drawn(replace(recipe, seed=recipe.seed + 1))


@pytest.mark.parametrize("repertoire", grammar.REPERTOIRES)
def test_texts_are_right_in_the_style_that_they_name(repertoire):
    for prompt, told in next(corpus.texts(replace(FULL, repertoire=repertoire), 200, steps=1)):
        problem = tuple(prompt.rstrip("\n").split(" "))
        assert grammar.is_right(*problem, told)
        assert told == grammar.completion(*problem, style_of(told), repertoire)


def test_styles_have_nothing_to_do_with_task_or_difficulty():
    """Chi-square at the 0.1 % level, over 5,000 texts of one seed."""
    batches = islice(corpus.texts(replace(FULL, growth=0.0), 100, steps=1), 1, 51)
    texts = [text for batch in batches for text in batch]
    styles = [style_of(told) for _, told in texts]
    shown = [tuple(prompt.rstrip("\n").split(" ")) for prompt, _ in texts]
    assert len(texts) == 5000
    for quality in ([task for task, _ in shown], [min(grammar.work(*one).steps, 8) for one in shown]):
        counts = Counter(zip(quality, styles, strict=True))
        table = [[counts[kind, style] for style in grammar.STYLES] for kind in sorted(set(quality))]
        assert chi2_contingency(table).pvalue > 0.001
    shares = [styles.count(style) / len(styles) for style in grammar.STYLES]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.03)


def test_a_link_between_style_and_difficulty_would_be_found():
    """What the test before would say of styles of which, for hard problems, one in four is chosen."""
    rng = np.random.default_rng(0)
    problems = list(islice(corpus.problems(rng, FULL), 5000))
    steps = [min(grammar.work(*one).steps, 8) for one in problems]
    styles = [
        "twice" if step > 5 and rng.random() < 0.25 else grammar.STYLES[rng.integers(3)] for step in steps
    ]
    counts = Counter(zip(steps, styles, strict=True))
    table = [[counts[kind, style] for style in grammar.STYLES] for kind in sorted(set(steps))]
    assert chi2_contingency(table).pvalue < 0.001


def size(task, item):
    return item.count("/") + 1 if task == "cardinal-directions" else len(code(task, item)[1])


def test_problems_grow_until_all_sizes_are_drawn():
    recipe = replace(FULL, growth=0.5, base=Supervised(steps=20))
    batches = [prompts([batch]) for batch in islice(corpus.texts(recipe, 200, steps=20), 20)]
    largest = [max(size(*one) for one in batch if one[0] == "binary-addition") for batch in batches]
    assert largest[0] == 3
    assert largest == sorted(largest)
    assert set(largest[10:]) == {6}


@pytest.mark.parametrize("task", grammar.TASKS)
def test_sizes_are_as_likely_as_each_other_and_none_is_too_large(task):
    rng = np.random.default_rng(1)
    counts = Counter(size(*corpus.draw(rng, (task,), largest=3)) for _ in range(3000))
    expected = [one for one in corpus.SIZES[task] if one <= 3]
    assert sorted(counts) == expected
    assert min(counts.values()) / 3000 == pytest.approx(1 / len(expected), abs=0.04)


@pytest.mark.parametrize("recipe", [FULL, QUICK])
@pytest.mark.parametrize("task", grammar.TASKS)
def test_hard_problems_are_a_plausible_share_and_the_hardest(task, recipe):
    rng = np.random.default_rng(5)
    usual = [grammar.work(*one).steps for one in islice(corpus.problems(rng, recipe, tasks=(task,)), 2000)]
    hard = [
        grammar.work(*one).steps
        for one in islice(corpus.problems(rng, recipe, hard=True, tasks=(task,)), 300)
    ]
    least = min(hard)
    share = np.mean(np.array(usual) >= least)
    # Numbers of steps are few, so a third exactly can't be had.
    assert share == pytest.approx(recipe.hard, abs=0.15)
    assert np.mean(np.array(usual) < least) > 0.5
    assert np.mean(hard) > np.mean(usual) + 0.5


@pytest.mark.parametrize("share", [0.0, 0.01, 0.999, 1.0])
def test_extreme_shares_of_hard_problems_are_taken_at_their_word(share):
    steps = [
        grammar.work(*corpus.draw(np.random.default_rng(seed), ("binary-addition",))).steps
        for seed in range(500)
    ]
    least = corpus.hardness("binary-addition", share)
    assert np.mean(np.array(steps) >= least) == pytest.approx(share, abs=0.03)


def test_a_recipe_that_is_too_small_for_a_task_is_told_so():
    with pytest.raises(ValueError, match=r"largest is 1, but binary-addition begins at 2"):
        next(corpus.problems(np.random.default_rng(0), replace(FULL, largest=1), tasks=("binary-addition",)))
