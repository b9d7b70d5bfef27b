import numpy as np
import pandas as pd
import pytest

from handan.costs import account
from handan.norms import load_bank

ITEM = {"model": "m", "task": "binary-addition", "item": "1010+0110"}
RIGHT = "\nAnswer: 10000"
TAGS = {"m": ("<think>", "</think>")}
NO_IDS = {"token_ids": None, "template": "server", "prompt": "What is 1010+0110?"}


def traces(*rows, **shared):
    """Rows as a store gives them."""
    usual = {"revision": "r", "template": "plain", "prompt": "1010+0110\n", "text": "", "stop": "stop"}
    return pd.DataFrame(
        [{**ITEM, "sample": n, **usual, **shared, **row} for n, row in enumerate(rows)], dtype=object
    )


def ids_of(decoder, text, stop=True):
    return decoder.ids(text) + [decoder.single("<eos>")] * stop


def one(frame, *arguments, **options):
    return account(frame, TAGS, *arguments, **options).iloc[0]


def test_a_prefilled_tag_starts_the_reasoning_at_once(tagged):
    frame = traces(
        {"token_ids": ids_of(tagged, f"Sum.</think>{RIGHT}"), "prompt": "<user>1010+0110<think>\n"}
    )
    row = one(frame, tagged)
    assert (row["tags"], row["reasoning_tokens"]) == ("closed, prefilled", len(tagged.ids("Sum.")))
    by_server = one(frame.assign(template="server"), tagged)
    assert by_server["tags"] == "closed, open missing"


def test_an_answer_inside_the_reasoning_is_none(tagged):
    text = f"<think>Is it so?{RIGHT}"
    assert one(traces({"token_ids": ids_of(tagged, text)}), tagged)["correct"] == 0
    wrong = f"<think>{RIGHT}</think>\nAnswer: 1"
    assert one(traces({"token_ids": ids_of(tagged, wrong)}), tagged)["correct"] == 0


def test_the_other_ways_to_count_stand_beside_the_rule(tagged):
    text = "Hm. <think>one two</think>three<think>four</think>five"
    row = one(traces({"token_ids": ids_of(tagged, text)}), tagged)
    sizes = {word: len(tagged.ids(word)) for word in ("Hm. ", "one two", "three", "four", "five")}
    assert row["tags"] == "closed, repeated"
    assert row["answer_tokens"] == sizes["five"]
    assert row["reasoning_tokens"] == sum(sizes.values()) - sizes["five"]
    assert row["tagged_tokens"] == sizes["one two"] + sizes["four"]
    assert row["first_close_tokens"] == sizes["Hm. "] + sizes["one two"]


def test_an_empty_output_costs_nothing(tagged):
    table = account(traces({"token_ids": []}, {"token_ids": ids_of(tagged, "")}, {"text": ""}), TAGS, tagged)
    assert table["reasoning_tokens"].tolist() == [0, 0, 0]
    assert table["counted"].tolist() == ["ids", "ids", "retokenised"]
    assert table["output_tokens"].fillna(-1).tolist() == [0, 1, -1]


def test_a_server_that_counts_the_reasoning_is_believed(tagged):
    row = {"text": RIGHT, "reasoning": "Sum it.", "output_tokens": 50, "reasoning_tokens": 40}
    apart = one(traces(row, **NO_IDS), tagged)
    assert apart[["reasoning_tokens", "answer_tokens", "output_tokens"]].tolist() == [40, 10, 50]
    assert apart[["tags", "counted", "tokenizer"]].tolist() == ["closed, apart", "server", "server"]
    assert (apart["n_chars"], apart["correct"]) == (7, 1)
    hidden = one(traces(row | {"reasoning": None}, **NO_IDS), tagged)
    assert hidden[["reasoning_tokens", "answer_tokens", "tags"]].tolist() == [40, 10, "closed, hidden"]
    assert np.isnan(hidden["n_chars"])
    assert hidden["correct"] == 1


def test_a_server_that_counts_wrongly_gives_no_negative_answer(tagged):
    row = one(traces({"text": RIGHT, "output_tokens": 30, "reasoning_tokens": 40}, **NO_IDS), tagged)
    assert row["reasoning_tokens"] == 40
    assert np.isnan(row["answer_tokens"])


@pytest.mark.parametrize("reported", [None, 0])
def test_what_a_server_did_not_count_is_tokenized_anew(tagged, reported):
    row = {"text": RIGHT, "reasoning": "Sum it.", "output_tokens": 50, "reasoning_tokens": reported}
    anew = one(traces(row, **NO_IDS), tagged)
    sizes = [len(tagged.ids("Sum it.")), len(tagged.ids(RIGHT)), 50]
    assert anew[["reasoning_tokens", "answer_tokens", "output_tokens"]].tolist() == sizes
    assert anew[["counted", "tokenizer"]].tolist() == ["retokenised", tagged.label]
    unknown = one(traces(row, **NO_IDS))
    assert unknown[["reasoning_tokens", "answer_tokens"]].isna().all()
    assert unknown[["counted", "output_tokens"]].tolist() == ["unknown", 50]
    assert unknown["n_chars"] == 7


@pytest.mark.parametrize("reported", [None, 0])
def test_a_server_without_reasoning_says_what_the_whole_output_costs(reported):
    row = one(traces({"text": RIGHT, "output_tokens": 9, "reasoning_tokens": reported}, **NO_IDS))
    assert row[["reasoning_tokens", "tags", "counted", "tagged_tokens"]].tolist() == [9, "none", "server", 0]
    assert np.isnan(row["answer_tokens"])


def test_tags_in_the_text_of_a_server_are_found(tagged):
    row = one(traces({"text": f"Sum it.</think>{RIGHT}", "output_tokens": 50}, **NO_IDS), tagged)
    assert row[["tags", "counted"]].tolist() == ["closed, open missing", "retokenised"]
    assert row["reasoning_tokens"] == len(tagged.ids("Sum it."))


@pytest.mark.parametrize(
    ("text", "tags", "bound"), [("", "unclosed, apart", True), ("An", "closed, apart", False)]
)
def test_a_reasoning_apart_that_was_cut(tagged, text, tags, bound):
    row = one(traces({"text": text, "reasoning": "Sum", "stop": "length"}, **NO_IDS), tagged)
    assert (row["tags"], row["reasoning_censored"]) == (tags, bound)


def test_an_output_that_nobody_saw_is_not_empty():
    unseen = {"text": None, "output_tokens": 50}
    table = account(traces(unseen | {"reasoning_tokens": 40}, unseen, **NO_IDS), TAGS)
    assert table["counted"].tolist() == ["server", "unknown"]
    assert table["reasoning_tokens"].fillna(-1).tolist() == [40, -1]
    assert table["answer_tokens"].fillna(-1).tolist() == [10, -1]
    assert table[["correct", "n_chars", "loop"]].isna().all(axis=None)


def test_loops_are_flagged_and_measured(tagged):
    loop = {"token_ids": tagged.ids("<think>Wait," + " the sum is 1." * 60), "stop": "length"}
    short = {"token_ids": ids_of(tagged, "<think>0000</think>0000 0000 0000 0000")}
    by_text = {"text": "<think>" + "Wait, no. " * 60, "stop": "stop", **NO_IDS}
    stopped = {"token_ids": ids_of(tagged, "Hm." + " the sum is 1." * 60)}
    table = account(traces(loop, short, by_text, stopped), TAGS, tagged)
    assert table["loop"].tolist() == [True, False, True, True]
    assert table["loop_repeats"].fillna(0).ge(59).tolist() == [True, False, True, True]
    assert (table["loop_tokens"][0] / table["loop_period"][0]) == table["loop_repeats"][0]


@pytest.mark.parametrize(("task", "item"), [("no-such-task", "1"), ("binary-addition", "not an item")])
def test_what_cannot_be_graded_is_missing(tagged, task, item):
    row = one(traces({"token_ids": ids_of(tagged, RIGHT), "task": task, "item": item}), tagged)
    assert np.isnan(row["correct"])
    assert row["reasoning_tokens"] > 0


def test_a_task_with_norms_only_is_not_graded(tagged):
    from handan.norms import task, tasks

    name = next(name for name in tasks() if not task(name).has_prompt)
    item = load_bank([name])["item"].iloc[0]
    row = one(traces({"token_ids": ids_of(tagged, RIGHT), "task": name, "item": item}), tagged)
    assert np.isnan(row["correct"])


def test_text_is_untrusted(tagged):
    odd = ["\0" * 50, "\x1b[2J<think>", "a\ud800b</think>c", "<think>" * 500, "</think>" * 500, "\u202e😀\r"]
    table = account(traces(*({"text": text, **NO_IDS} for text in odd)), TAGS, tagged)
    assert table["reasoning_tokens"].notna().all()
    assert len(table) == len(odd)


def test_a_long_row_is_no_harder_than_a_short_one(tagged):
    ids = [tagged.single("<think>"), *tagged.ids("the sum of 1010 and 0111 is 10001. ") * 12_000]
    assert len(ids) > 100_000
    row = one(traces({"token_ids": ids, "stop": "length"}), tagged)
    assert (row["reasoning_tokens"], row["loop"]) == (len(ids) - 1, True)
