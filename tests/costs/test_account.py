import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.costs import account
from handan.costs.decoder import Decoder
from handan.tables import TableError, check_costs

ITEM = {"model": "m", "task": "binary-addition", "item": "1010+0110"}
RIGHT = "\nAnswer: 10000"
TAGS = {"m": ("<think>", "</think>")}
NO_IDS = {"token_ids": None, "template": "server", "prompt": "What is 1010+0110?"}
COUNTS = ["reasoning_tokens", "answer_tokens", "markup_tokens", "output_tokens"]


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


def test_a_row_with_ids_is_counted_exactly(tagged):
    text = f"<think>So, the carry is 1.\n\nCheck.</think>{RIGHT}"
    row = one(traces({"token_ids": ids_of(tagged, text), "prompt_tokens": 12}), tagged)
    thought = len(tagged.ids("So, the carry is 1.\n\nCheck."))
    assert row[COUNTS].tolist() == [thought, len(tagged.ids(RIGHT)), 3, len(ids_of(tagged, text))]
    assert row[["prompt_tokens", "tagged_tokens", "first_close_tokens"]].tolist() == [12, thought, thought]
    assert row[["stop", "tags", "counted", "tokenizer"]].tolist() == ["stop", "closed", "ids", tagged.label]
    assert row[["n_chars", "words", "units", "steps"]].tolist() == [27, 6, 9, 2]
    assert row[["correct", "loop", "censored", "reasoning_censored"]].tolist() == [1, False, False, False]


SPELLED = st.lists(
    st.sampled_from(["<think>", "</think>", "the sum ", ".</", "10", "😀", "\n\n"]), max_size=12
)


@given(
    outputs=st.lists(
        st.tuples(SPELLED.map("".join), st.sampled_from(["stop", "length"])), min_size=1, max_size=20
    )
)
@settings(deadline=None, max_examples=20)
@pytest.mark.parametrize("kind", ["tagged", "plain"])
def test_reasoning_answer_and_markup_are_the_output(request, kind, outputs):
    decoder = request.getfixturevalue(kind)
    rows = [
        {"token_ids": np.array(ids_of(decoder, text, stop == "stop")), "stop": stop} for text, stop in outputs
    ]
    table = account(traces(*rows), TAGS, {"r": decoder})
    parts = table["reasoning_tokens"] + table["answer_tokens"].fillna(0) + table["markup_tokens"]
    assert parts.tolist() == table["output_tokens"].tolist() == [len(row["token_ids"]) for row in rows]
    assert table["answer_tokens"].isna().tolist() == table["tags"].str.startswith("none").tolist()
    assert (table["tagged_tokens"] <= table["reasoning_tokens"]).all()
    check_costs(table)


def test_without_tags_the_whole_output_is_the_cost(tagged):
    text = f"The sum is 16.{RIGHT}"
    for tags in (TAGS, {"m": ("", "")}, {"m": (None, np.nan)}):
        row = account(traces({"token_ids": ids_of(tagged, text)}), tags, tagged).iloc[0]
        assert row["reasoning_tokens"] == row["output_tokens"] - 1 == len(tagged.ids(text))
        assert np.isnan(row["answer_tokens"])
        assert (row["tags"], row["tagged_tokens"], row["correct"]) == ("none", 0, 1)


def test_a_model_without_tags_may_write_any(tagged):
    text = f"<think>No.</think>{RIGHT}"
    row = account(traces({"token_ids": ids_of(tagged, text)}), {"m": ("", "")}, tagged).iloc[0]
    assert (row["tags"], row["reasoning_tokens"]) == ("none", len(tagged.ids(text)))


def test_a_model_that_is_not_named_has_the_usual_tags(tagged):
    row = account(traces({"token_ids": ids_of(tagged, "<think>a</think>b")}), {}, tagged).iloc[0]
    assert row["tags"] == "closed"


def test_a_cut_trace_is_a_lower_bound(tagged):
    cut = {"token_ids": ids_of(tagged, "<think>The sum", stop=False), "stop": "length"}
    late = {"token_ids": ids_of(tagged, "<think>The sum</think>The an", stop=False), "stop": "length"}
    bare = {"token_ids": ids_of(tagged, "The sum is", stop=False), "stop": "length"}
    lost = {"token_ids": ids_of(tagged, "<think>The sum"), "stop": "stop"}
    table = account(traces(cut, late, bare, lost), TAGS, tagged)
    assert table["tags"].tolist() == ["unclosed", "closed", "none", "unclosed"]
    assert table["censored"].tolist() == [True, True, True, False]
    assert table["reasoning_censored"].tolist() == [True, False, True, False]
    assert table["answer_tokens"].fillna(-1).tolist() == [0, len(tagged.ids("The an")), -1, 0]
    assert table["reasoning_tokens"][[0, 1, 3]].tolist() == [len(tagged.ids("The sum"))] * 3


def test_a_failed_request_has_no_counts(tagged):
    table = account(
        traces({"stop": "error", "text": "", "token_ids": None, "error": "timeout"}), TAGS, tagged
    )
    row = table.iloc[0]
    assert row["stop"] == "error"
    assert row[[*COUNTS, "correct", "n_chars", "tags", "counted", "loop"]].isna().all()
    assert not row["censored"]


def test_ids_without_a_tokenizer_are_kept_and_said(tagged):
    frame = traces({"token_ids": ids_of(tagged, "<think>a</think>b"), "text": "<think>a</think>b"})
    with pytest.warns(UserWarning, match="no tokenizer is given for m"):
        row = account(frame, TAGS, {"another": tagged}).iloc[0]
    assert row[["counted", "output_tokens", "tags"]].tolist() == ["unknown", 5, "closed"]
    assert np.isnan(row["reasoning_tokens"])


def test_a_tokenizer_is_found_by_revision_or_model_or_for_all(tagged, plain, tmp_path):
    path = tmp_path / "r.json"
    tagged._tokenizer.save(str(path))
    frame = traces({"token_ids": ids_of(tagged, "<think>a</think>b")})

    def stored(revision):
        found = tmp_path / f"{revision}.json"
        return found if found.is_file() else None

    for source in ({"r": tagged, "m": plain}, {"m": tagged}, {"r": path}, stored, tagged, path, str(path)):
        assert one(frame, source)["tokenizer"] == tagged.label
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(tokenizer_object=tagged._tokenizer)
    assert one(frame, fast)["tokenizer"] == tagged.label


def test_one_tokenizer_makes_models_comparable(tagged, plain):
    rows = [{"token_ids": ids_of(tagged, "<think>the sum</think>b"), "revision": "t"},
            {"token_ids": plain.ids("<think>the sum</think>b"), "revision": "p", "model": "n"},
            {"stop": "error", "token_ids": None, "revision": "t"}]  # fmt: skip
    table = account(traces(*rows), TAGS, {"t": tagged, "p": plain}, common=plain)
    assert table["common_tokens"].fillna(-1).tolist() == [len(plain.ids("the sum"))] * 2 + [-1]
    assert set(table["common_tokenizer"]) == {plain.label}


def test_texts_are_kept_on_request(tagged):
    frame = traces({"token_ids": ids_of(tagged, "<think>a\0😀</think>b")}, {"token_ids": ids_of(tagged, "W")})
    table = account(frame, TAGS, tagged, keep_text=True)
    assert table["reasoning_text"].tolist() == ["a\0😀", "W"]
    assert table["answer_text"].fillna("-").tolist() == ["b", "-"]
    assert "reasoning_text" not in account(frame, TAGS, tagged)


def test_little_need_be_known():
    bare = pd.DataFrame([{**ITEM, "text": f"<think>a</think>{RIGHT}"}])
    row = account(bare, {}).iloc[0]
    assert row[["tags", "counted", "correct"]].tolist() == ["closed", "unknown", 1]
    assert row[["stop", "censored"]].isna().all()
    assert not row["reasoning_censored"]  # however it ended, the reasoning had ended before


def test_a_table_without_items_is_refused():
    with pytest.raises(TableError, match="'item'"):
        account(pd.DataFrame({"model": ["m"], "task": ["t"], "text": [""]}), {})
    with pytest.raises(TableError, match="no rows"):
        account(traces({}).iloc[:0], {})


@pytest.mark.parametrize("setting", ["decoding", "dtype", "revision", "template"])
def test_mixed_settings_are_refused_by_name(tagged, setting):
    frame = traces({setting: "a", "token_ids": []}, {setting: "b", "token_ids": []}).assign(sample=0)
    with pytest.raises(
        TableError, match=f"'{setting}'.*traces of the same sample of m; keep the rows of one"
    ):
        account(frame, TAGS, tagged)


def test_a_row_twice_is_refused(tagged):
    frame = traces({"token_ids": []}, {"token_ids": []}, decoding="a").assign(sample=0)
    with pytest.raises(TableError, match="repeats row 0"):
        account(frame, TAGS, tagged)


def test_provenance_is_carried_along(tagged):
    frame = traces(
        {"token_ids": [], "attempt": 3, "engine": "vllm", "seconds": 1.5, "key": "k", "study": "s"}
    )
    row = one(frame, tagged)
    carried = row[["study", "attempt", "engine", "seconds", "key", "revision"]].tolist()
    assert carried == ["s", 3, "vllm", 1.5, "k", "r"]


def test_rows_from_parquet_are_read(tagged, tmp_path):
    pytest.importorskip("pyarrow")
    frame = traces({"token_ids": ids_of(tagged, "<think>a</think>b")}, {"text": "W", **NO_IDS})
    frame.to_parquet(tmp_path / "part.parquet")
    table = account(pd.read_parquet(tmp_path / "part.parquet"), TAGS, tagged)
    assert table["counted"].tolist() == ["ids", "retokenised"]
    arrow = pd.read_parquet(tmp_path / "part.parquet", dtype_backend="pyarrow")
    pd.testing.assert_frame_equal(account(arrow, TAGS, tagged)[COUNTS], table[COUNTS])


def test_a_decoder_is_made_once_per_tokenizer(tagged, monkeypatch):
    asked = []
    frame = traces(*[{"token_ids": [0]}] * 5)
    account(frame, TAGS, lambda name: asked.append(name) or tagged)
    assert asked == ["r"]
    assert isinstance(tagged, Decoder)
