import json

import pytest

from handan.costs.importers import read
from handan.traces.errors import ImportFormatError

PATTERN = "{task}:{item}:{sample}"


def remarks(imported):
    return "\n".join(imported.remarks)


def line(body, custom_id="t:q:0", **more):
    return {"custom_id": custom_id, "response": {"status_code": 200, "body": body}, "error": None} | more


def chat(message, finish_reason="stop", **usage):
    return {"model": "m", "choices": [{"message": message, "finish_reason": finish_reason}], "usage": usage}


def test_output_errors_and_requests_make_one_table(logs):
    paths = [logs / "openai-batch-output.jsonl", logs / "openai-batch-errors.jsonl"]
    imported = read("openai-batch", paths, requests=logs / "openai-batch-requests.jsonl")
    costs = imported.costs.set_index(["item", "sample"])
    asked = (logs / "openai-batch-requests.jsonl").read_text().splitlines()
    assert len(costs) == len(asked) == 10
    assert costs["task"].value_counts().to_dict() == {"binary-addition": 4, "syllogisms": 4, "game-of-24": 2}
    assert set(costs["model"]) == {"deepseek-reasoner"}
    fine = costs[costs["stop"] == "stop"]
    assert (fine["answer_tokens"] == 8).all()
    assert (fine["reasoning_tokens"] == [30 + 7 * len(item) + sample for item, sample in fine.index]).all()
    assert (fine["correct"] == 1).all()
    cut = costs.loc["1 1 1 11", 1]
    assert (cut["stop"], cut["reasoning_tokens"], cut["answer_tokens"]) == ("length", 64, 0)
    errors = costs.loc[costs["stop"] == "error", "error"]
    assert errors.tolist() == [
        "429 Rate limit reached",
        "This request could not be executed in time.",
        "no reply in the output of the batch",
    ]
    assert "3 requests failed" in remarks(imported)


def test_ids_are_read_by_pattern_and_agree_with_the_request_file(logs):
    path = logs / "openai-batch-output.jsonl"
    by_pattern = read("openai-batch", path, pattern=PATTERN).costs
    by_file = read("openai-batch", path, requests=logs / "openai-batch-requests.jsonl").costs
    answered = by_file[by_file["stop"] != "error"].reset_index(drop=True)
    assert by_pattern[["task", "item", "sample"]].equals(answered[["task", "item", "sample"]])


def test_vllm_gives_no_count_of_the_reasoning_and_two_names_for_its_text(logs, letters):
    path = logs / "vllm-batch-output.jsonl"
    imported = read("vllm-batch", path, pattern=PATTERN)
    assert imported.costs["reasoning_tokens"].isna().all()
    assert imported.costs["output_tokens"].tolist()[:3] == [100, 101, 102]
    assert imported.costs["tags"].tolist()[:3] == ["closed, apart", "closed", "closed, apart"]
    assert "Qwen/QwQ-32B is called QwQ-32B here" in remarks(imported)
    assert "3 of 3 replies have no count" in remarks(imported)
    counted = read("vllm-batch", path, pattern=PATTERN, tokenizer=letters).costs
    assert counted["reasoning_tokens"][:3].equals(counted["n_chars"][:3])
    assert counted["reasoning_tokens"][0] == len("Let me see: 1010+0110.")
    assert (counted["stop"][3], counted["error"][3]) == ("error", "400 The model's context is too short")


def test_generated_ids_are_counted_where_they_are_given(write, letters):
    body = chat({"content": "a"}, completion_tokens=9)
    body["choices"][0]["token_ids"] = [1, 1, 1]
    costs = read("vllm-batch", write([line(body)]), pattern=PATTERN, tokenizer=letters).costs
    assert (costs["counted"][0], costs["output_tokens"][0]) == ("ids", 3)


def test_without_tags_the_whole_output_is_the_cost(write):
    imported = read("openai-batch", write([line(chat({"content": "42"}, completion_tokens=7))]), task="t")
    assert imported.costs[["reasoning_tokens", "output_tokens", "tags"]].to_numpy().tolist() == [
        [7, 7, "none"]
    ]
    assert imported.costs["answer_tokens"].isna().all()
    assert "1 replies have no think tags" in remarks(imported)


def test_reasoning_that_was_only_counted_has_no_length(write):
    usage = {"completion_tokens": 90, "completion_tokens_details": {"reasoning_tokens": 80}}
    costs = read("openai-batch", write([line(chat({"content": "42"}, **usage))]), task="t").costs
    assert costs[["reasoning_tokens", "answer_tokens"]].to_numpy().tolist() == [[80, 10]]
    assert costs["n_chars"].isna().all()


def test_a_body_of_the_responses_interface_is_read(write):
    body = {
        "model": "m", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"},
        "output": [{"type": "reasoning", "summary": []},
                   {"type": "message", "content": [{"type": "output_text", "text": "half"}]}],
        "usage": {"input_tokens": 3, "output_tokens": 50, "output_tokens_details": {"reasoning_tokens": 40}},
    }  # fmt: skip
    costs = read("openai-batch", write([line(body)]), pattern=PATTERN).costs
    assert costs[["prompt_tokens", "reasoning_tokens", "answer_tokens", "stop"]].to_numpy().tolist() == [
        [3, 40, 10, "length"]
    ]


def test_several_choices_are_samples_and_their_common_count_is_not_used(write):
    body = chat({"content": "a"}, completion_tokens=100)
    body["choices"].append({"message": {"content": "b"}, "finish_reason": "length"})
    imported = read("openai-batch", write([line(body, "q")]), task="t")
    assert imported.costs["sample"].tolist() == [0, 1]
    assert imported.costs["output_tokens"].isna().all()
    assert "one count for all" in remarks(imported)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (chat({"content": ""}, "content_filter"), "the reply ended with content_filter"),
        ({"model": "m", "choices": []}, "the response holds no choices"),
        ({"model": "m", "choices": [None]}, "the response holds no choices"),
        (
            {"error": {"message": "Bearer abcdefghijkl is wrong; key-ABCDEFGH1234 too"}},
            "200 [removed] is wrong; [removed] too",
        ),
        (None, "200 no body"),
        ([], "200 no body"),
    ],
)
def test_failures_are_rows_without_secrets(write, body, error):
    costs = read("openai-batch", write([line(body)]), pattern=PATTERN, model="m").costs
    assert (costs["stop"][0], costs["error"][0]) == ("error", error)
    assert costs[["reasoning_tokens", "output_tokens"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "message",
    [{"content": None}, {"content": None, "refusal": "I won't"}, {"content": [{"type": "text", "text": "a"}, "b", 3]},
     {"content": 5}, {}, {"content": "\ud800 <think>"}, {"content": "", "reasoning_content": ""}],
)  # fmt: skip
def test_odd_messages_are_rows(write, tmp_path, message):
    path = tmp_path / "odd.jsonl"
    path.write_text(json.dumps(line(chat(message, None))))
    costs = read("openai-batch", path, pattern=PATTERN).costs
    assert len(costs) == 1
    assert costs["stop"].isna().all()


def test_ids_without_a_shape_are_items(write):
    imported = read(
        "openai-batch", write([line(chat({"content": "a"}), "req-1")]), task="t", pattern="x{item}"
    )
    assert imported.costs[["task", "item"]].to_numpy().tolist() == [["t", "req-1"]]
    assert "1 ids are taken as items as they are, for example 'req-1'" in remarks(imported)
    with pytest.raises(ImportFormatError, match="nothing says which task custom_id 'req-1' belongs to"):
        read("openai-batch", write([line(chat({"content": "a"}), "req-1")]))


def test_the_request_file_in_place_of_the_output_is_noticed(logs):
    with pytest.raises(ImportFormatError, match="looks like the request file of a batch"):
        read("openai-batch", logs / "openai-batch-requests.jsonl", task="t")
    with pytest.raises(ImportFormatError, match="looks like the output of a batch"):
        read("openai-batch", logs / "openai-batch-output.jsonl", requests=logs / "openai-batch-output.jsonl")
