import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.costs import wrong

COSTS = pd.DataFrame(
    {
        "model": ["a"] * 5 + ["b"] * 2,
        "task": "t",
        "item": list("vwxyzvw"),
        "prompt_tokens": [9, 1, 8, 2, 3, 1, 1],
        "output_tokens": [10, 50, 20, 40, np.nan, 7, 5],
    },
    index=range(100, 107),
)


def test_a_padded_row_is_as_long_as_the_longest_of_its_batch():
    padded = wrong.padded_tokens(COSTS, 2)
    assert padded.fillna(-1).tolist() == [50, 50, 40, 40, -1, 7, 7]
    assert padded.index.equals(COSTS.index)


def test_sorting_by_prompt_changes_who_shares_a_batch():
    padded = wrong.padded_tokens(COSTS, 2, order="sorted")
    assert padded.fillna(-1).tolist() == [20, 50, 20, 50, -1, 7, 7]


@given(
    outputs=st.lists(st.integers(1, 99), min_size=1, max_size=30),
    batch=st.integers(1, 40),
    order=st.sampled_from(["given", "sorted", "random"]),
    seed=st.integers(0, 9),
)
@settings(deadline=None, max_examples=60)
def test_padding_only_adds(outputs, batch, order, seed):
    frame = pd.DataFrame({"model": "a", "prompt_tokens": 1, "output_tokens": outputs})
    padded = wrong.padded_tokens(frame, batch, order=order, seed=seed)
    assert (padded >= frame["output_tokens"]).all()
    assert set(padded) <= set(outputs)
    assert padded.nunique() <= -(-len(outputs) // batch)
    if batch == 1:
        assert padded.tolist() == outputs
    if batch >= len(outputs):
        assert set(padded) == {max(outputs)}


def test_padding_hides_a_perfect_correlation():
    hard = np.arange(256)
    frame = pd.DataFrame({"model": "a", "output_tokens": 100 + 10.0 * hard})
    r = [np.corrcoef(hard, wrong.padded_tokens(frame, size, order="random"))[0, 1] for size in (1, 4, 16, 64)]
    assert r[0] == pytest.approx(1)
    assert r == sorted(r, reverse=True)
    assert r[-1] < 0.5


@pytest.mark.parametrize(
    ("batch", "order", "message"), [(0, "given", "at least 1"), (2, "odd", "'odd' is none of")]
)
def test_nonsense_is_refused(batch, order, message):
    with pytest.raises(ValueError, match=message):
        wrong.padded_tokens(COSTS, batch, order=order)


def test_text_tokenized_anew_need_not_have_the_tokens_that_were_generated(tagged):
    letter_by_letter = [number for letter in "the sum" for number in tagged.ids(letter)]
    text = tagged.text(letter_by_letter)
    counts = wrong.retokenised(pd.Series([text, None], index=["x", "y"], dtype="string"), tagged)
    assert counts["x"] == len(tagged.ids("the sum")) < len(letter_by_letter)
    assert np.isnan(counts["y"])
    assert wrong.retokenised([text], tagged).tolist() == [counts["x"]]


SAMPLES = pd.DataFrame(
    {
        "model": "a",
        "task": "t",
        "item": ["x", "x", "x", "y", "y"],
        "reasoning_tokens": [10.0, 20.0, 99.0, 99.0, 99.0],
        "stop": ["stop", "stop", "length", "length", "length"],
    }
)


def test_cut_rows_are_left_out():
    kept = wrong.without_truncated(SAMPLES)
    assert kept["reasoning_tokens"].tolist() == [10, 20]
    unknown = SAMPLES.assign(stop=pd.Series([pd.NA] * 5, dtype="string"))
    assert len(wrong.without_truncated(unknown)) == 5


def test_a_rerolled_row_counts_as_a_finished_one():
    table = wrong.rerolled(SAMPLES)
    assert table["reasoning_tokens"].iloc[:2].tolist() == [10, 20]
    assert table["reasoning_tokens"].iloc[2] in (10, 20)
    assert table["reasoning_tokens"].iloc[3:].isna().all()
    pd.testing.assert_frame_equal(table, wrong.rerolled(SAMPLES))
    assert SAMPLES["reasoning_tokens"].iloc[2] == 99
    drawn = {wrong.rerolled(SAMPLES, seed=seed)["reasoning_tokens"].iloc[2] for seed in range(20)}
    assert drawn == {10, 20}


def test_rerolling_makes_hard_items_look_cheap():
    rng = np.random.default_rng(0)
    hard = np.repeat(np.arange(40), 20)
    spend = rng.lognormal(6 + hard / 20, 0.6)
    frame = pd.DataFrame({"model": "a", "task": "t", "item": hard.astype(str)})
    frame["reasoning_tokens"] = np.minimum(spend, 3_000)
    frame["stop"] = np.where(spend > 3_000, "length", "stop")
    top = hard >= 30
    bottom = hard < 10
    again = wrong.rerolled(frame)["reasoning_tokens"]
    assert again[top].mean() < 0.85 * frame.loc[top, "reasoning_tokens"].mean()
    assert again[bottom].mean() == pytest.approx(frame.loc[bottom, "reasoning_tokens"].mean(), rel=0.05)
