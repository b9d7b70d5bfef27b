import json
import shutil
import zipfile

import pandas as pd
import pytest

from handan.costs.importers import read
from handan.costs.importers.inspect_log import _open
from handan.traces.errors import ImportFormatError

BLANK = ["prompt_tokens", "reasoning_tokens", "answer_tokens", "output_tokens"]


def remarks(imported):
    return "\n".join(imported.remarks)


def log_of(samples, **header):
    spec = {"task": "t", "task_id": "run1", "created": "2026-01-01", "model": "openai/gpt-x"}
    return {
        "version": 2,
        "status": "success",
        "eval": spec | header.pop("eval", {}),
        "samples": samples,
    } | header


def sample_of(content, **more):
    message = {"role": "assistant", "content": content}
    usage = {"input_tokens": 5, "output_tokens": 30, "reasoning_tokens": 20}
    output = {"choices": [{"message": message, "stop_reason": "stop"}], "usage": usage}
    return {"id": "q1", "epoch": 1, "output": output, "messages": [message]} | more


@pytest.fixture
def save(tmp_path):
    def saving(log, name="log.json"):
        (tmp_path / name).write_text(json.dumps(log))
        return tmp_path / name

    return saving


@pytest.mark.parametrize("ending", ["eval", "json"])
def test_a_log_of_the_real_tool_is_read_in_full(logs, ending):
    imported = read("inspect", logs / f"inspect-scripted.{ending}")
    costs = imported.costs.set_index(["item", "sample"]).sort_index()
    assert len(costs) == 8
    assert set(costs.loc["AA1", "task"]) == {"syllogisms"}
    fine = costs[costs["stop"] == "stop"]
    assert len(fine) == 6
    assert (fine["reasoning_tokens"] + fine["answer_tokens"] == fine["output_tokens"]).all()
    assert (fine["prompt_tokens"] == 100).all()  # 80 read anew and 20 from the cache
    assert (fine["n_chars"] == 14 * (fine["reasoning_tokens"] / 4)).all()  # as the log was made
    assert (fine["correct"] == 1).all()
    cut = costs.loc["1 1 1 11", 1]
    assert (cut["stop"], cut["finish_reason"], cut["answer_tokens"], cut["correct"]) == (
        "length",
        "max_tokens",
        0,
        0,
    )
    assert cut["tags"] == "unclosed, apart"
    lost = costs.loc["AA1", 1]
    assert (lost["stop"], lost[BLANK].notna().sum()) == ("error", 0)
    assert "the connection was lost" in lost["error"]
    assert "1 requests failed" in remarks(imported)


def test_both_forms_of_a_log_give_the_same_table(logs):
    tables = [read("inspect", logs / f"inspect-scripted.{ending}").costs for ending in ("eval", "json")]
    first, second = (table.sort_values(["item", "sample"], ignore_index=True) for table in tables)
    pd.testing.assert_frame_equal(first, second)


def test_padded_widths_are_not_taken_for_lengths(logs, letters):
    path = logs / "inspect-hf.eval"
    _, samples = _open(path)
    written = {sample["id"]: sample["output"] for sample in samples}
    lengths = {len(output["choices"][0]["message"]["content"]) for output in written.values()}
    said = {output["usage"]["output_tokens"] for output in written.values()}
    assert len(lengths) == 4  # what the model wrote differs,
    assert said == {40}  # and the log says the same of all: the fault that is guarded against
    imported = read("inspect", path)
    assert imported.costs[BLANK].isna().all(axis=None)
    assert imported.costs["stop"].isna().all()
    assert "width of a padded batch" in remarks(imported)
    again = read("inspect", path, tokenizer=letters).costs
    assert set(again["reasoning_tokens"]) == lengths


def test_withheld_reasoning_is_known_by_its_count_alone(save):
    secret = {"type": "reasoning", "reasoning": "QUJD" * 50, "summary": "short", "redacted": True}
    imported = read("inspect", save(log_of([sample_of([secret, {"type": "text", "text": "Answer: 1"}])])))
    (row,) = imported.costs.to_dict("records")
    assert (row["reasoning_tokens"], row["answer_tokens"], row["counted"], row["tags"]) == (
        20,
        10,
        "server",
        "hidden",
    )
    assert pd.isna(row["n_chars"])
    assert "withheld or encrypted" in remarks(imported)


def test_long_texts_are_taken_from_the_attachments(save):
    part = {"type": "reasoning", "reasoning": "attachment://abc"}
    sample = sample_of([part, {"type": "text", "text": "x"}], attachments={"abc": "thought " * 9})
    assert read("inspect", save(log_of([sample]))).costs["n_chars"][0] == 72


def test_several_turns_are_summed(save):
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "<think>ab</think>"},
             {"role": "user", "content": "!"}, {"role": "assistant", "content": "cd"}]  # fmt: skip
    usage = {"openai/gpt-x": {"input_tokens": 9, "output_tokens": 50, "reasoning_tokens": 45}}
    imported = read("inspect", save(log_of([sample_of("cd", messages=turns, model_usage=usage)])))
    assert imported.costs[["reasoning_tokens", "answer_tokens", "n_chars"]].to_numpy().tolist() == [
        [45, 5, 2]
    ]
    assert "counted over all their turns" in remarks(imported)


@pytest.mark.parametrize(
    ("value", "correct"),
    [
        ("C", 1),
        ("I", 0),
        ("P", 0.5),
        (True, 1),
        (0.25, 0.25),
        ("1", 1),
        ("B", None),
        ({"a": 1}, None),
        (7, None),
    ],
)
def test_scores_are_read_as_shares(save, value, correct):
    scores = {"first": {"value": value}, "second": {"value": "C"}}
    imported = read("inspect", save(log_of([sample_of("x", scores=scores)])))
    got = imported.costs["correct"][0]
    assert got == correct or (correct is None and pd.isna(got))
    assert "verdict of first; there are: first, second" in remarks(imported)
    assert (
        read("inspect", save(log_of([sample_of("x", scores=scores)])), metric="second").costs["correct"][0]
        == 1
    )


def test_a_limit_of_the_run_censors(save):
    costs = read("inspect", save(log_of([sample_of("<think>x", limit={"type": "time", "limit": 5})]))).costs
    assert (costs["stop"][0], costs["finish_reason"][0]) == ("length", "limit: time")


def test_a_filtered_reply_is_an_error(save):
    sample = sample_of("x")
    sample["output"]["choices"][0]["stop_reason"] = "content_filter"
    costs = read("inspect", save(log_of([sample]))).costs
    assert (costs["stop"][0], costs["error"][0]) == ("error", "the reply ended with content_filter")


def test_of_a_run_that_was_tried_again_the_newest_log_counts(save, tmp_path):
    failed = sample_of("", error={"message": "lost"})
    save(log_of([failed], status="error"), "a.json")
    save(log_of([sample_of("<think>x</think>y")], eval={"created": "2026-01-02"}), "b.json")
    save({"not": "a log"}, "eval-set.json")
    imported = read("inspect", tmp_path)
    assert imported.costs["stop"].tolist() == ["stop"]
    assert "1 earlier logs of runs that were tried again" in remarks(imported)
    assert "eval-set.json" in remarks(imported)


def test_another_run_of_the_same_task_gives_further_samples(save, tmp_path):
    for number, name in enumerate("ab"):
        samples = [sample_of("x", epoch=epoch) for epoch in (1, 2)]
        save(log_of(samples, eval={"task_id": name, "created": f"2026-01-0{number + 1}"}), f"{name}.json")
    assert sorted(read("inspect", tmp_path).costs["sample"]) == [0, 1, 2, 3]


def test_a_run_that_was_interrupted_is_read_and_said(logs, tmp_path):
    from handan.costs.importers.zipped import open_zip, read_member

    path = tmp_path / "half.eval"
    with (
        open_zip(logs / "inspect-scripted.eval") as whole,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as half,
    ):
        for name in whole.namelist():
            if name == "_journal/start.json" or name.endswith("epoch_1.json"):
                half.writestr(name, read_member(whole, name))
    imported = read("inspect", path)
    assert len(imported.costs) == 4
    assert "did not finish (status started)" in remarks(imported)


def test_what_is_no_log_is_refused(logs, tmp_path, save):
    shutil.copy(logs / "inspect-scripted.eval", tmp_path / "torn.eval")
    torn = (tmp_path / "torn.eval").read_bytes()
    (tmp_path / "torn.eval").write_bytes(torn[: len(torn) // 2])
    with zipfile.ZipFile(tmp_path / "other.eval", "w") as other:
        other.writestr("readme.txt", "hello")
    for path, words in [
        (tmp_path / "torn.eval", "no zip file, or is torn"),
        (tmp_path / "other.eval", "no log of inspect_ai"),
        (logs / "openai-batch-output.jsonl", "looks like the output of a batch"),
        (next((logs / "lm-eval-hf").glob("samples_*")), "looks like a sample log of lm-evaluation-harness"),
        (save(log_of([])), "holds no samples"),
        (tmp_path / "absent.eval", "can't be read: No such file"),
    ]:
        with pytest.raises(ImportFormatError, match=words):
            read("inspect", path)
