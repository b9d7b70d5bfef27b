import gzip
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.costs.importers import read
from handan.schema import TableError
from handan.traces.errors import ImportFormatError

ROW = {
    "qid": 7,
    "out": {"text": "<think>abc</think>de"},
    "usage": {"all": 12},
    "end": "max_tokens",
    "ok": True,
}
MAP = {"item": "qid", "text": "out.text", "output_tokens": "usage.all", "stop": "end", "correct": "ok"}
NAMED = {"model": "m", "task": "t"}


def remarks(imported):
    return "\n".join(imported.remarks)


def test_columns_are_mapped_and_reached_into(write, letters):
    imported = read("jsonl", write([ROW | {"extra": 1}]), columns=MAP, tokenizer=letters, **NAMED)
    (row,) = imported.costs.to_dict("records")
    expected = {"model": "m", "task": "t", "item": "7", "sample": 0, "reasoning_tokens": 3, "answer_tokens": 2,
                "output_tokens": 12, "stop": "length", "correct": 1, "n_chars": 3, "finish_reason": "max_tokens"}  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert "not used: extra" in remarks(imported)


def test_counts_of_the_file_are_taken_as_they_are(write):
    rows = [{"model": "m", "task": "t", "item": "i", "sample": number, "reasoning_tokens": tokens, "answer_tokens": 4,
             "tokenizer": "native"} for number, tokens in enumerate([0, 983, None])]  # fmt: skip
    imported = read("jsonl", write(rows))
    costs = imported.costs
    assert costs["reasoning_tokens"].tolist()[:2] == [0, 983]
    assert costs["reasoning_tokens"].isna().tolist() == [False, False, True]
    assert costs["counted"].tolist() == ["file", "file", "unknown"]
    assert costs["tokenizer"].tolist()[:2] == ["native", "native"]
    assert costs["n_chars"].isna().all()
    assert "1 of 3 replies have no count" in remarks(imported)


def test_counts_of_the_file_win_over_the_text(write, letters):
    row = {"item": "i", "text": "<think>abc</think>de", "reasoning_tokens": 99}
    costs = read("jsonl", write([row]), tokenizer=letters, **NAMED).costs
    assert costs[["reasoning_tokens", "answer_tokens", "n_chars", "counted"]].to_numpy().tolist() == [
        [99, 2, 3, "file"]
    ]


def test_parts_that_are_apart_are_not_looked_for_tags(write, letters):
    rows = [{"item": "i", "cot": "ab</think>", "reply": "xyz"}, {"item": "j", "cot": "abc", "reply": None}]
    costs = read(
        "jsonl", write(rows), columns={"reasoning": "cot", "answer": "reply"}, tokenizer=letters, **NAMED
    ).costs
    assert costs["reasoning_tokens"].tolist() == [10, 3]
    assert costs["answer_tokens"].tolist()[0] == 3
    assert np.isnan(costs["answer_tokens"][1])


def test_an_answer_alone_is_no_chain_of_thought(write, letters):
    rows = [{"item": "i", "answer": "xyz", "output_tokens": 50}]
    imported = read("jsonl", write(rows), columns={"answer": "answer"}, tokenizer=letters, **NAMED)
    assert imported.costs["reasoning_tokens"].isna().all()
    assert imported.costs["tags"].tolist() == ["hidden"]
    assert "came without their reasoning" in remarks(imported)


def test_a_column_called_answer_is_the_key_where_another_text_is_mapped(write):
    costs = read(
        "jsonl", write([{"answer": "42", "out": "so 42"}]), columns={"text": "out", "item": "#"}, **NAMED
    ).costs
    assert costs[["item", "n_chars"]].to_numpy().tolist() == [["0", 5]]


def test_rows_that_failed_have_no_counts(write):
    rows = [{"item": "i", "text": "", "error": "timeout", "output_tokens": 5, "reasoning_tokens": 3},
            {"item": "j", "text": "", "stop": "error"}]  # fmt: skip
    costs = read("jsonl", write(rows), **NAMED).costs
    assert costs["stop"].tolist() == ["error", "error"]
    assert costs[["reasoning_tokens", "output_tokens"]].isna().all(axis=None)
    assert costs["error"][0] == "timeout"


def test_repeated_items_are_numbered_and_repeated_samples_refused(write):
    rows = [{"item": "i", "text": "a"}, {"item": "i", "text": "b"}]
    imported = read("jsonl", write(rows), **NAMED)
    assert imported.costs["sample"].tolist() == [0, 1]
    assert "1 replies repeat a model and item" in remarks(imported)
    with pytest.raises(TableError, match=r"log.jsonl line 2, column 'sample': repeats row log.jsonl line 1"):
        read("jsonl", write([row | {"sample": 0} for row in rows]), **NAMED)


def test_bad_values_are_named_with_their_row(write):
    good = {"item": "i", "text": "a"}
    for bad, words in [
        (
            {"item": "j", "text": "a", "reasoning_tokens": "many"},
            "log.jsonl line 2, column 'reasoning_tokens': 'many' is not a number",
        ),
        (
            {"item": "j", "text": "a", "output_tokens": "many"},
            "log.jsonl line 2, column 'output_tokens': 'many' is no number",
        ),
        ({"item": None, "text": "a"}, "log.jsonl line 2, column 'item': empty"),
        (
            {"item": "j", "text": "a", "correct": "perhaps"},
            "line 2, column 'correct': 'perhaps' is not a number",
        ),
        ({"item": "j", "text": "a", "answer_tokens": -3}, "line 2, column 'answer_tokens': -3.* is below 0"),
    ]:
        with pytest.raises(TableError, match=words):
            read("jsonl", write([good, bad]), **NAMED)


@pytest.mark.parametrize(
    ("row", "options", "words"),
    [
        (
            {"a": 1, "b": 2},
            {"columns": {"item": "id", "text": "a"}, **NAMED},
            r"no column 'id' \(mapped to item\); it has: a, b",
        ),
        (
            {"a": 1},
            {"columns": {"text": "a"}, **NAMED},
            "no column 'item', and none is mapped to it; it has: a",
        ),
        ({"item": 1, "text": "a"}, {"task": "t"}, "no column 'model'"),
        ({"item": 1, "q": "a"}, NAMED, "says nothing about costs.*it has: item, q"),
        (
            {"item": 1, "q": "a"},
            {"columns": {"tokens": "q"}, **NAMED},
            "the map names tokens, which is none of: study, model",
        ),
        ({"item": 1, "q": "a"}, {"columns": {"text": "q", "answer": "q"}, **NAMED}, "map either text"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(write, row, options, words):
    with pytest.raises(ImportFormatError, match=words):
        read("jsonl", write([row]), **options)


def test_arrays_and_gzip_are_read_alike(write, tmp_path):
    lines = write([ROW, ROW | {"qid": 8}])
    array, zipped = tmp_path / "a.json", tmp_path / "z.json.gz"
    array.write_text(json.dumps([ROW, ROW | {"qid": 8}], indent=2))
    zipped.write_bytes(gzip.compress(lines.read_bytes()))
    tables = [read("jsonl", path, columns=MAP, **NAMED).costs for path in (lines, array, zipped)]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


def test_parquet_and_csv_give_the_same_table(tmp_path):
    frame = pd.DataFrame({
        "item": ["0011", "0101", "1,\n1"], "text": ["<think>a</think>b", None, 'say "x"'],
        "output_tokens": [9, None, 5], "stop": ["stop", "length", None],
    })  # fmt: skip
    frame.to_parquet(tmp_path / "x.parquet")
    frame.to_csv(tmp_path / "x.csv", index=False)
    tables = [read(kind, tmp_path / f"x.{kind}", **NAMED).costs for kind in ("parquet", "csv")]
    pd.testing.assert_frame_equal(*tables)
    assert tables[0]["item"].tolist()[:2] == ["0011", "0101"]


def test_a_long_text_fits_a_csv_field(tmp_path):
    pd.DataFrame({"item": ["i"], "text": ["wait " * 100_000]}).to_csv(tmp_path / "x.csv", index=False)
    assert read("csv", tmp_path / "x.csv", **NAMED).costs["n_chars"][0] == 500_000


def test_a_file_of_another_kind_is_refused(logs, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty.csv").write_text("item,text\n")
    for kind, path, words in [
        ("parquet", logs / "openai-batch-output.jsonl", "is no Parquet file"),
        ("csv", tmp_path / "x.csv", "is no CSV file"),
        ("csv", tmp_path / "empty.csv", "holds no rows"),
        ("jsonl", logs / "inspect-hf.eval", "is a log of inspect_ai"),
        ("parquet", tmp_path / "absent.parquet", "can't be read"),
    ]:
        with pytest.raises(ImportFormatError, match=words):
            read(kind, path, **NAMED)


plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).filter(
    lambda text: "think>" not in text
)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(plain, plain), min_size=1, max_size=8))
def test_every_row_is_kept_in_order_and_cut_at_its_tags(letters, tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("rows") / "x.jsonl"
    path.write_text("\n".join(json.dumps({"text": f"<think>{a}</think>{b}"}) for a, b in pieces))
    costs = read("jsonl", path, columns={"text": "text", "item": "#"}, tokenizer=letters, **NAMED).costs
    assert costs["item"].tolist() == [str(place) for place in range(len(pieces))]
    assert costs["reasoning_tokens"].tolist() == [len(a) for a, _ in pieces]
    assert costs["answer_tokens"].tolist() == [len(b) for _, b in pieces]
