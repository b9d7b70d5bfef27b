import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.traces import Decoding, Request, RequestError
from handan.traces.errors import ImportFormatError
from handan.traces.openai_batch import BatchFiles, write_batch
from handan.traces.openai_results import BatchReport, read_batch
from handan.traces.openai_spelling import seed_of

ASKED = Request("m", "kitten-1", "unknown", "server", "t", "i", 0, "why\u2028?", Decoding(), "server")


def make(count):
    return [replace(ASKED, sample=n) for n in range(count)]


def lines(path):
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def result(key, text="4", **changes):
    """One line as OpenAI writes it."""
    message = {"role": "assistant", "content": text, "reasoning_content": "two, two"}
    body = {
        "model": "kitten-1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 9},
    }
    response = {"status_code": 200, "request_id": "r", "body": body}
    return {"id": "batch_req_1", "custom_id": key, "response": response, "error": None} | changes


def write(path, results):
    path.write_text("".join(json.dumps(one) + "\n" for one in results))
    return path


def test_a_batch_holds_every_request_under_its_key(tmp_path):
    requests = make(3)
    (path,) = write_batch(
        requests, tmp_path / "batch.jsonl", extra_body={"min_p": 0.1}, token_limit="max_completion_tokens"
    )
    assert [one["custom_id"] for one in lines(path)] == [one.key for one in requests]
    assert lines(path)[1] == {
        "custom_id": requests[1].key,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "min_p": 0.1,
            "model": "kitten-1",
            "messages": [{"role": "user", "content": "why\u2028?"}],
            "max_completion_tokens": 8192,
            "temperature": 0.6,
            "top_p": 0.95,
            "seed": seed_of(requests[1]),
        },
    }
    assert sorted(one.name for one in tmp_path.iterdir()) == ["batch.jsonl"]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(1, 12), st.integers(400, 3000))
def test_files_stay_within_their_limits_and_lose_nothing(tmp_path_factory, count, max_requests, max_bytes):
    requests = make(count)
    folder = tmp_path_factory.mktemp("batch")
    paths = write_batch(requests, folder / "b.jsonl", max_requests=max_requests, max_bytes=max_bytes)
    assert all(len(lines(path)) <= max_requests and path.stat().st_size <= max_bytes for path in paths)
    assert [one["custom_id"] for path in paths for one in lines(path)] == [one.key for one in requests]
    assert sorted(folder.iterdir()) == sorted(paths)
    assert len(paths) == 1 or paths[0].name == "b-001.jsonl"
    # No file could have taken the first line of the next.
    for one, after in pairwise(paths):
        first = len(after.read_bytes().split(b"\n")[0]) + 1
        assert len(lines(one)) == max_requests or one.stat().st_size + first > max_bytes


@pytest.mark.parametrize(
    ("requests", "options", "words"),
    [
        ([], {}, "no request"),
        ([ASKED, ASKED], {}, "2 times"),
        ([ASKED, replace(ASKED, model_id="other")], {}, "one model"),
        ([replace(ASKED, model_id="local:x")], {}, "what the server calls it"),
        ([ASKED], {"max_bytes": 50}, "at most|may have 50"),
    ],
)
def test_batches_that_no_server_would_take_are_not_written(tmp_path, requests, options, words):
    with pytest.raises(RequestError, match=words):
        write_batch(requests, tmp_path / "b.jsonl", **options)
    assert not list(tmp_path.iterdir())


def test_an_earlier_batch_is_not_mixed_with_a_new_one(tmp_path):
    write_batch(make(4), tmp_path / "b.jsonl", max_requests=2)
    with pytest.raises(RequestError, match=r"b-001\.jsonl is already there"):
        write_batch(make(1), tmp_path / "b.jsonl")
    assert len(list(tmp_path.iterdir())) == 2


def test_results_come_back_to_their_requests(tmp_path):
    requests = make(3)
    report = BatchReport()
    path = write(
        tmp_path / "out.jsonl", [result(one.key, f"a{n}") for n, one in reversed(list(enumerate(requests)))]
    )
    found = {one.key: one for one in read_batch(path, requests=requests, report=report)}
    assert [found[one.key].text for one in requests] == ["a0", "a1", "a2"]
    one = found[requests[0].key]
    assert (one.stop, one.reasoning, one.prompt_tokens, one.output_tokens) == ("stop", "two, two", 5, 9)
    assert report == BatchReport(answered=3)
    assert report.remarks() == []


FAILURES = {
    "openai error": {"response": None, "error": {"code": "batch_expired", "message": "too late"}},
    "openai status": {
        "response": {"status_code": 400, "body": {"error": {"message": "too long", "code": None}}}
    },
    "vllm error": {
        "response": {"status_code": 400, "request_id": "vllm-batch-1"},
        "error": {"error": {"message": "too long", "type": "BadRequestError", "code": 400}},
    },
    "nothing": {"response": None},
    "no body": {"response": {"status_code": 200, "body": None}},
    "a word": {"response": None, "error": "oops\x1b[2J"},
}


@pytest.mark.parametrize("kind", FAILURES)
def test_failures_are_rows_with_their_reason(tmp_path, kind):
    path = write(tmp_path / "out.jsonl", [result(ASKED.key, **FAILURES[kind])])
    report = BatchReport()
    (found,) = read_batch(path, requests=[ASKED], report=report)
    assert found.stop == "error"
    assert found.error.isprintable()
    words = {"openai error": "batch_expired): too late", "vllm error": "400", "nothing": "no completion"}
    assert words.get(kind, "batch") in found.error
    assert (report.answered, report.failed, report.missing) == (0, 1, [])


def test_an_answer_beats_an_error_and_the_first_answer_a_second(tmp_path):
    one, two = make(2)
    out = write(
        tmp_path / "out.jsonl",
        [
            result(two.key, **FAILURES["nothing"]),
            result(one.key, "first"),
            result(one.key, "second"),
            result(two.key, "late"),
        ],
    )
    errors = write(tmp_path / "err.jsonl", [result(one.key, **FAILURES["openai error"])])
    report = BatchReport()
    found = list(read_batch(out, errors, requests=[one, two], report=report))
    assert {(each.key, each.text) for each in found} == {(one.key, "first"), (two.key, "late")}
    assert len(found) == 2
    assert sorted(report.doubled) == sorted([one.key, two.key])


def test_what_is_missing_unknown_or_torn_is_reported_and_not_fatal(tmp_path):
    requests = make(4)
    path = tmp_path / "out.jsonl"
    good = [json.dumps(result(one.key)) for one in requests]
    text = (
        "\ufeff"
        + good[0]
        + "\n\n"
        + json.dumps(result("stranger"))
        + "\n[1]\n"
        + good[1]
        + "\r\n"
        + good[2][:-20]
    )
    path.write_bytes(text.encode() + b"\xff")
    with pytest.warns(UserWarning, match="result|read") as warned:
        found = list(read_batch(path, requests=requests))
    assert {one.key for one in found} == {requests[0].key, requests[1].key}
    said = " | ".join(str(one.message) for one in warned)
    assert "2 requests have no result" in said
    assert "1 results belong to no request: stranger" in said
    assert "2 lines can't be read: out.jsonl:4, out.jsonl:6" in said


def test_several_parts_are_read_together(tmp_path):
    requests = make(4)
    paths = [write(tmp_path / f"{n}.jsonl", [result(one.key)]) for n, one in enumerate(requests)]
    assert len(list(read_batch(paths, requests=requests))) == 4


def test_a_file_that_is_something_else_is_named(tmp_path):
    (asked,) = write_batch([ASKED], tmp_path / "b.jsonl")
    with pytest.raises(ImportFormatError, match="holds the requests of a batch"):
        list(read_batch(asked, requests=[ASKED]))
    other = write(tmp_path / "other.jsonl", [{"id": 1}, [2]])
    with pytest.raises(ImportFormatError, match="is no output of a batch"):
        list(read_batch(other, requests=[ASKED]))
    with pytest.raises(ImportFormatError, match="there is no file"):
        list(read_batch(tmp_path / "none", requests=[ASKED]))


def test_a_batch_that_answered_nothing_is_all_missing(tmp_path):
    path = write(tmp_path / "empty.jsonl", [])
    report = BatchReport()
    assert list(read_batch(path, requests=make(2), report=report)) == []
    assert len(report.missing) == 2


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_torn_file_gives_each_whole_line_once(tmp_path_factory, data):
    requests = make(5)
    raw = "".join(json.dumps(result(one.key)) + "\n" for one in requests).encode()
    cut = data.draw(st.integers(0, len(raw)))
    path = tmp_path_factory.mktemp("torn") / "out.jsonl"
    path.write_bytes(raw[:cut])
    report = BatchReport()
    try:
        found = list(read_batch(path, requests=requests, report=report))
    except ImportFormatError:
        assert b"\n" not in raw[:cut]
        return
    # A line without its newline may still be whole.
    assert raw[:cut].count(b"\n") <= len(found) <= raw[:cut].count(b"\n") + 1
    assert len(found) + len(report.missing) == 5
    assert len(report.unreadable) == (
        not raw[:cut].endswith(b"\n") and cut > 0 and len(found) == raw[:cut].count(b"\n")
    )


def test_result_files_fill_a_store_like_any_engine(tmp_path):
    pytest.importorskip("pyarrow")
    from handan.traces import run
    from handan.traces.engine import Engine
    from handan.traces.store import Store

    requests = make(5)
    out = write(tmp_path / "out.jsonl", [result(one.key) for one in requests[:3]])
    errors = write(tmp_path / "err.jsonl", [result(requests[3].key, **FAILURES["openai error"])])
    files = BatchFiles([out, errors])
    assert isinstance(files, Engine)
    with pytest.warns(UserWarning, match=f"1 requests have no result: {requests[4].key}"):
        known = files.known(requests)
    assert known == requests[:4]
    with Store.open(tmp_path / "store") as store:
        report = run(known, files, store)
        assert (report.done, report.failed) == (3, 1)
        assert run(known, files, store).settled == 4
    told = files.settings()
    assert json.loads(json.dumps(told)) == told
    assert (told["files"], told["answered"], told["failed"]) == (["out.jsonl", "err.jsonl"], 3, 1)
