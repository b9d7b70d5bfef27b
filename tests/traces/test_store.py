import json
import sys

import numpy as np
import pandas as pd
import pytest
from tests.traces.stored import request_of
from tests.traces.worker_rows import answer, fill, keys, request

from handan.traces import store_compact
from handan.traces.errors import StoreError
from handan.traces.parts import part_provenance
from handan.traces.request import Decoding
from handan.traces.rows import COLUMNS, schema
from handan.traces.store import Store

pytest.importorskip("pyarrow")
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store", part_rows=4) as store:
        yield store


def test_what_was_added_is_settled_at_once_and_after_opening_again(tmp_path):
    for start, end in ((0, 3), (3, 4), (4, 11)):
        with Store.open(tmp_path / "store", part_rows=4) as store:
            fill(store, start, end)
            assert store.done(keys(20)) == set(keys(end))
    with Store.open(tmp_path / "store", writable=False) as store:
        assert store.done(keys(20)) == set(keys(11))
        assert store.done([]) == set()
        assert store.done(["never asked"]) == set()


def test_a_row_comes_back_as_it_went_in(store):
    odd = 'tab\t, newline\n, "quotes", 邯郸学步, \u2028, NUL \0, 🐍'
    rows = [
        answer(request(0), odd),
        answer(request(1, sample=3), stop="length"),
        answer(request(2), odd, stop="error"),
    ]
    for row in rows:
        store.add(row)
    for _ in range(2):  # from the journal, then from a part
        frame = store.read()
        assert list(frame.columns) == list(COLUMNS)
        for row, found in zip(rows, frame.to_dict("records"), strict=True):
            ids = found.pop("token_ids")
            assert (ids is None) == (row["token_ids"] is None)
            assert ids is None or ids.tolist() == row["token_ids"]
            assert {name: None if pd.isna(one) else one for name, one in found.items()} == {
                name: one for name, one in row.items() if name != "token_ids"
            }
        assert request_of(frame.iloc[1].to_dict()).key == rows[1]["key"]
        store.compact()


def test_the_parts_are_parquet_of_the_documented_schema(store):
    import pyarrow.parquet as pq

    fill(store, 0, 8)
    files = sorted((store.files.root / "parts").glob("part-*.parquet"))
    assert len(files) == 2
    assert all(pq.read_schema(file).remove_metadata() == schema() for file in files)
    assert all(pq.read_metadata(file).row_group(0).column(0).compression == "ZSTD" for file in files)


def test_columns_can_be_chosen_in_any_order_and_unknown_ones_are_named(store):
    fill(store, 0, 6)
    assert list(store.read(["text", "item"])) == ["text", "item"]
    assert store.read(["sample"]).to_numpy().tolist() == [[0]] * 6
    with pytest.raises(StoreError, match="no column lenght; it has key, model"):
        store.read(["lenght"])


def test_an_empty_store_answers_everything(store):
    assert store.read().empty
    assert list(store.read()) == list(COLUMNS)
    assert store.status().empty
    assert store.runs() == []
    assert store.attempts(keys(3)) == {}
    assert store.rate("student", "stand-in") is None
    assert store.why(request(0).parts()).empty
    assert store.compact().rows == 0


def test_numpy_values_are_taken_and_halves_of_surrogates_replaced(store):
    row = answer(request(0)) | {
        "token_ids": np.array([3, 150_000]),
        "output_tokens": np.int64(2),
        "text": "a\ud800b",
    }
    store.add(row)
    store.compact()
    found = store.read().iloc[0]
    assert found["token_ids"].tolist() == [3, 150_000]
    assert (found["output_tokens"], found["text"]) == (2, "a\ufffdb")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"key": None}, "no key"),
        ({"stop": "eos"}, "stop must be one of stop, length, error, not 'eos'"),
        ({"lenght": 3}, "unknown columns: lenght"),
        ({"output_tokens": 2**31}, "output_tokens is no int32: 2147483648 is out of range"),
        ({"output_tokens": 1.5}, "output_tokens is no int32"),
        ({"token_ids": [1, 2**40]}, "token_ids is no list<int32>"),
        ({"token_ids": [[1], [2]]}, "token_ids is no list<int32>: found 2 dimensions"),
        ({"token_ids": "12"}, "token_ids is no list<int32>"),
        ({"text": b"bytes"}, "text is no string: found bytes"),
        ({"seconds": "soon"}, "seconds is no float64"),
    ],
)
def test_a_malformed_row_is_refused_by_name_and_harms_no_other(store, change, complaint):
    fill(store, 0, 1)
    with pytest.raises(StoreError, match=complaint):
        store.add(answer(request(1)) | change)
    fill(store, 2, 5)
    assert store.done(keys(9)) == {request(number).key for number in (0, 2, 3, 4)}


def test_failures_are_settled_until_asked_again_and_lose_to_any_answer(store):
    store.add(answer(request(0), "timeout", stop="error"))
    store.add(answer(request(1), "timeout", stop="error", attempt=2))
    store.add(answer(request(2)))
    assert store.done(keys(3)) == set(keys(3))
    assert store.done(keys(3), retry_errors=True) == {request(2).key}
    assert store.attempts(keys(4)) == {request(0).key: 1, request(1).key: 2, request(2).key: 1}
    store.add(answer(request(1), "late", attempt=3))
    store.add(answer(request(0), "refused", stop="error", attempt=2))
    store.add(answer(request(2), "lost", stop="error", attempt=2))
    rows = store.read().set_index("item")
    assert rows["stop"].to_dict() == {"i0": "error", "i1": "stop", "i2": "stop"}
    assert (rows.loc["i0", "error"], rows.loc["i1", "text"]) == ("refused", "late")
    assert store.done(keys(3), retry_errors=True) == {request(1).key, request(2).key}
    assert store.attempts(keys(1)) == {request(0).key: 2}


def test_compacting_keeps_the_rows_that_count_and_counts_the_rest(store):
    for number in range(9):
        store.add(answer(request(number), "busy", stop="error"))
    for number in range(7):
        store.add(answer(request(number), attempt=2))
    store.add(answer(request(0), "again", attempt=3))
    before = store.read()
    report = store.compact()
    assert (report.rows, report.dropped_errors, report.dropped_others) == (9, 7, 1)
    assert (report.parts_before, report.parts_after) == (5, 1)
    assert "5 parts" in str(report)
    assert "7 failures and 1 others" in str(report)
    assert len(list((store.files.root / "parts").iterdir())) == 1
    pd.testing.assert_frame_equal(_sorted(before), _sorted(store.read()))
    again = store.compact()
    assert (again.parts_before, again.parts_after, again.dropped_errors) == (1, 1, 0)
    fill(store, 9, 11)
    assert store.done(keys(20)) == set(keys(11))


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("key", ignore_index=True)


def test_merged_parts_stay_below_a_size_and_full_ones_are_left_alone(store, monkeypatch):
    monkeypatch.setattr(store_compact, "MERGED_ROWS", 10)
    fill(store, 0, 24)
    report = store.compact()
    assert (report.parts_before, report.parts_after) == (6, 3)
    names = {path.name for path in (store.files.root / "parts").iterdir()}
    fill(store, 24, 25)
    store.compact()
    assert len(names & {path.name for path in (store.files.root / "parts").iterdir()}) == 2
    assert store.done(keys(30)) == set(keys(25))


def test_status_counts_per_model_task_decoding_and_dtype_what_is_known(store):
    fill(store, 0, 3)
    store.add(answer(request(3), stop="length"))
    store.add(answer(request(4), "busy", stop="error"))
    store.add(answer(request(5, decoding=Decoding(temperature=0)), attempt=2))
    store.add(answer(request(6, model="teacher", model_id="org/teacher")))
    table = store.status().set_index(["model", "decoding"])
    assert table["rows"].tolist() == [5, 1, 1]
    first = table.loc["student"].iloc[0]
    counts = ["stop", "length", "error", "retried", "counted", "output_tokens", "prompt_tokens"]
    assert first[counts].tolist() == [3, 1, 1, 0, 4, 20, 28]
    assert first["seconds"] == pytest.approx(2.0)
    assert table.loc["student"].iloc[1]["retried"] == 1


def test_every_run_says_how_far_it_has_come_and_with_what(tmp_path):
    with Store.open(tmp_path / "store", part_rows=100) as store:
        first = store.add_run({"requests": keys(10), "engine": {"engine": "stand-in"}, "samples": 1})
        fill(store, 0, 4)
        second = store.add_run({"requests": [*keys(4), request(20).key]})
        store.add(answer(request(20), "busy", stop="error"))
    with Store.open(tmp_path / "store", writable=False) as store:
        runs = store.runs()
    assert [run["run"] for run in runs] == [first, second]
    assert [(run["requests"], run["settled"], run["failed"]) for run in runs] == [(10, 4, 0), (5, 4, 1)]
    assert runs[0]["engine"] == {"engine": "stand-in"}
    assert runs[0]["provenance"]["python"] == ".".join(map(str, sys.version_info[:3]))
    files = sorted((tmp_path / "store" / "parts").iterdir())
    told = [part_provenance(file)["runs"] for file in files]
    assert [[(span["rows"], span["run"]["run"]) for span in part] for part in told] == [
        [(4, first)],
        [(1, second)],
    ]
    assert "requests" in told[0][0]["run"]


def test_a_merged_part_still_tells_which_run_made_which_rows(store):
    runs = []
    for start in (0, 3, 6):
        runs.append(store.add_run({"requests": keys(9)}))
        fill(store, start, start + 3)
    store.add(answer(request(0), attempt=2))  # replaces a row of the first run
    store.compact()
    [path] = (store.files.root / "parts").iterdir()
    told = part_provenance(path)
    assert [(span["rows"], span["run"]["run"]) for span in told["runs"]] == [
        (2, runs[0]),
        (3, runs[1]),
        (4, runs[2]),
    ]
    assert len(told["compacted"]) == 3


def test_no_secret_reaches_the_disk(store, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "correct-horse-battery")
    store.add_run(
        {
            "requests": keys(2),
            "passed": {"api_key": "plain-secret-1", "command": ["--key", "sk-abcdefghijklmnop1234"]},
            "base_url": "https://ann:plain-secret-2@host/v1",
            "note": "uses correct-horse-battery",
            "max_new_tokens": 64,
        }
    )
    fill(store, 0, 4)
    everything = b"".join(path.read_bytes() for path in store.files.root.rglob("*") if path.is_file())
    for secret in (b"plain-secret", b"abcdefghijklmnop", b"correct-horse"):
        assert secret not in everything
    assert store.runs()[0]["max_new_tokens"] == 64


def test_the_rate_counts_overlapping_requests_once():
    from handan.traces.store_views import rate

    ends = pd.to_datetime(["2026-01-01T00:00:10Z", "2026-01-01T00:00:10Z", "2026-01-01T00:01:00Z", None])
    created = [None if pd.isna(end) else end.isoformat() for end in ends]
    rows = pd.DataFrame(
        {"output_tokens": [100, 50, 300, 7], "seconds": [10.0, 4.0, 20.0, 1.0], "created": created}
    )
    assert rate(rows) == pytest.approx((100 + 50 + 300) / (10 + 20))
    assert rate(rows.assign(seconds=0.0)) is None


def test_the_rate_is_of_one_model_and_engine(store):
    fill(store, 0, 3)
    assert store.rate("student", "stand-in") > 0
    assert store.rate("student", "vllm") is None


def test_why_names_the_parts_of_the_key_that_keep_a_row_from_being_used(store):
    fill(store, 0, 3)
    store.add(answer(request(1, revision="b" * 40, dtype="bfloat16")))
    asked = request(1, decoding=Decoding(max_new_tokens=128), revision="c" * 40)
    for _ in range(2):
        found = store.why(asked.parts()).set_index("part")
        assert found.to_dict("index") == {
            "revision": {"stored": "a" * 40, "asked": "c" * 40},
            "max_new_tokens": {"stored": 64, "asked": 128},
        }
        store.compact()
    assert store.why(request(1, sample=1).parts()).empty
    store.add(answer(request(5), "out of memory", stop="error"))
    assert store.why(request(5).parts()).to_dict("records") == [
        {"part": "stop", "stored": "error: out of memory", "asked": ""}
    ]


def test_a_tokenizer_is_kept_once_per_revision(store, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    assert store.tokenizer("a" * 40) is None
    store.save_tokenizer(folder, "a" * 40)
    store.save_tokenizer(b'{ "version": "1.0" }', "a" * 40)
    assert json.loads(store.tokenizer("a" * 40).read_text()) == {"version": "1.0"}
    with pytest.raises(StoreError, match="another tokenizer under the same revision"):
        store.save_tokenizer(b'{"version": "2.0"}', "a" * 40)
    with pytest.raises(StoreError, match="isn't JSON"):
        store.save_tokenizer(b"{", "b" * 40)
    with pytest.raises(StoreError, match="can't read the tokenizer"):
        store.save_tokenizer(tmp_path, "b" * 40)
    assert store.tokenizer("../../up") is None
    with pytest.raises(StoreError, match="no commit and no hash"):
        store.save_tokenizer(folder, "../../up")


def test_opening_says_what_is_wrong_with_the_place(tmp_path):
    with pytest.raises(StoreError, match="holds no store of traces; check the path"):
        Store.open(tmp_path / "absent", create=False)
    with pytest.raises(StoreError, match="holds no store"):
        Store.open(tmp_path / "absent", writable=False)
    assert not (tmp_path / "absent").exists()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.docx").touch()
    with pytest.raises(StoreError, match="is not empty and holds no store"):
        Store.open(tmp_path / "work")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["thesis.docx"]
    with pytest.raises(StoreError, match="is not empty"):
        Store.open(tmp_path / "work" / "thesis.docx")
    with pytest.raises(StoreError, match="part_rows must be at least 1"):
        Store.open(tmp_path / "store", part_rows=0)


def test_a_closed_store_refuses_rows(tmp_path):
    with Store.open(tmp_path / "store") as store:
        fill(store, 0, 1)
    store.close()
    for act in (lambda: fill(store, 1, 2), store.compact, lambda: store.add_run({})):
        with pytest.raises(StoreError, match="closed, or was opened for reading only"):
            act()
    assert len(store.read()) == 1


def test_long_traces_become_a_part_before_their_number_does(tmp_path, monkeypatch):
    monkeypatch.setattr("handan.traces.store.PART_BYTES", 10_000)
    monkeypatch.setattr("handan.traces.store_lines._BATCH_BYTES", 3_000)
    with Store.open(tmp_path / "store") as store:
        fill(store, 0, 12, text="x" * 2500)
        assert len(list((tmp_path / "store" / "parts").iterdir())) == 3
        assert store.read()["text"].str.len().tolist() == [2500] * 12
