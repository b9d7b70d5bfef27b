import json

import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from tests.traces.stored import request_of
from tests.traces.tiny import VOCABULARY, tokenizer

from handan.traces.errors import RequestError, StoreError
from handan.traces.ray_files import collect, reach, write_requests
from handan.traces.ray_llm import _answer
from handan.traces.request import Decoding, Request
from handan.traces.vllm_terms import sampling

pytest.importorskip("transformers")

STOPS = {1}


@pytest.fixture(scope="module")
def cutter():
    return tokenizer()


@pytest.fixture(params=["folder", "memory"])
def place(request, tmp_path):
    if request.param == "folder":
        yield str(tmp_path / "work")
    else:
        yield "memory://work"
        MemoryFileSystem.store.clear()
        MemoryFileSystem.pseudo_dirs[:] = [""]


def requests(count, **decoding):
    asked = Decoding(**({"max_new_tokens": 4} | decoding))
    return [
        Request("m", "local:m", "r", "plain", "t", str(n), 0, f"{n}+1=", asked, "float32")
        for n in range(count)
    ]


def read(place):
    files, folder = reach(place)
    found = []
    for path in sorted(files.glob(f"{folder}/*.parquet")):
        with files.open(path, "rb") as file:
            found += pq.read_table(file).to_pylist()
    return found


def write_answers(place, rows, name="part-0"):
    import pyarrow as pa

    files, folder = reach(place)
    files.makedirs(folder, exist_ok=True)
    with files.open(f"{folder}/{name}.parquet", "wb") as file:
        pq.write_table(pa.Table.from_pylist([_answer(row) for row in rows]), file)


def reply(request, ids, **more):
    return {"key": request.key, "generated_tokens": ids, "num_input_tokens": 5, "time_taken_llm": 0.5, **more}


def test_a_work_list_can_be_read_back(place, cutter):
    asked = requests(7)
    write_requests(asked, place, tokenizer=cutter, stops=STOPS, rows=3)
    found = {row["key"]: row for row in read(place)}
    assert len(found) == 7
    for request in asked:
        row = found[request.key]
        assert request_of(row) == request
        assert row["tokens"] == [VOCABULARY.index(one) for one in request.prompt]
        assert json.loads(row["sampling"]) == sampling(request, STOPS)


def test_the_same_list_again_changes_nothing_and_another_is_refused(place, cutter):
    write_requests(requests(7), place, tokenizer=cutter, stops=STOPS, rows=3)
    files, folder = reach(place)
    before = files.glob(f"{folder}/*")
    write_requests(requests(7), place, tokenizer=cutter, stops=STOPS, rows=3)
    assert files.glob(f"{folder}/*") == before
    assert len(before) == 3
    with pytest.raises(StoreError, match="another work list"):
        write_requests(requests(6), place, tokenizer=cutter, stops=STOPS, rows=3)
    assert files.glob(f"{folder}/*") == before


def test_a_temperature_that_vllm_would_change_is_refused(place, cutter):
    with pytest.raises(RequestError, match=r"t 0: vLLM raises temperatures below 0\.01"):
        write_requests(requests(1, temperature=0.001), place, tokenizer=cutter, stops=STOPS)


def test_results_become_completions_once_each(place, cutter):
    done, cut, early, failed, retried, missing = requests(6)
    write_answers(place, [
        reply(done, [20, 21, 1]),
        reply(cut, [20, 21, 22, 23]),
        reply(early, [20]),
        {"key": failed.key, "__inference_error__": "ValueError: too long", "generated_tokens": []},
        {"key": retried.key, "__inference_error__": "it was a bad day", "num_input_tokens": None},
        reply(requests(7)[6], [20, 1]),
    ])  # fmt: skip
    write_answers(place, [reply(retried, [25, 1]), reply(done, [99])], "part-1")
    asked = [done, cut, early, failed, retried, missing]
    found = list(collect(place, asked, tokenizer=cutter, stops=STOPS))
    answers = {one.key: one for one in found}
    assert len(found) == len(answers) == 5
    assert missing.key not in answers
    first = answers[done.key]
    assert (first.stop, first.token_ids, first.output_tokens, first.prompt_tokens) == (
        "stop",
        (20, 21, 1),
        3,
        5,
    )
    assert first.text == "".join(VOCABULARY[20:22])
    assert first.seconds == 0.5
    assert (answers[cut.key].stop, answers[cut.key].finish_reason) == ("length", "max_new_tokens")
    assert (answers[early.key].stop, answers[early.key].finish_reason) == ("length", "context")
    assert (answers[failed.key].stop, answers[failed.key].error) == ("error", "ValueError: too long")
    assert answers[retried.key].token_ids == (25, 1)


def test_a_reply_without_tokens_is_a_failure(place, cutter):
    (asked,) = requests(1)
    write_answers(place, [reply(asked, [])])
    (found,) = collect(place, [asked], tokenizer=cutter, stops=STOPS)
    assert (found.stop, found.error) == ("error", "nothing was generated")


def test_no_results_and_torn_results_are_named(place, cutter):
    asked = requests(2)
    with pytest.raises(StoreError, match="no results"):
        list(collect(place, asked, tokenizer=cutter, stops=STOPS))
    write_answers(place, [reply(asked[0], [20, 1])])
    files, folder = reach(place)
    with files.open(f"{folder}/part-0.parquet", "rb") as file:
        whole = file.read()
    with files.open(f"{folder}/part-1.parquet", "wb") as file:
        file.write(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match=r"part-1\.parquet can't be read"):
        list(collect(place, asked, tokenizer=cutter, stops=STOPS))


def test_a_place_that_no_package_knows_is_named():
    with pytest.raises(StoreError, match="nowhere://x can't be reached"):
        reach("nowhere://x")
