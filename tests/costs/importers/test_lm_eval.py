import json
import shutil

import pytest

from handan.costs.importers import read
from handan.traces.errors import ImportFormatError

SAMPLE = {
    "doc_id": 0, "doc": {"question": "?"}, "target": "1", "resps": [["<think>ab</think>c"]],
    "filtered_resps": ["c"], "filter": "none", "metrics": ["acc"], "acc": 1.0,
    "arguments": {"gen_args_0": {"arg_0": "Ask", "arg_1": {"until": ["\n\n"], "max_gen_toks": 3}}},
}  # fmt: skip


def remarks(imported):
    return "\n".join(imported.remarks)


def raw(folder):
    (path,) = folder.glob("samples_*.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_log_of_the_real_tool_gives_texts_and_verdicts_but_no_counts(logs):
    imported = read("lm-eval", logs / "lm-eval-hf")
    costs, written = imported.costs, raw(logs / "lm-eval-hf")
    texts = [row["resps"][0][0] for row in written if row["filter"] == "none"]
    assert costs["model"].tolist() == ["tiny"] * 4
    assert costs["task"].tolist() == ["binary-addition", "binary-addition", "game-of-24", "syllogisms"]
    assert costs["item"].tolist() == ["1010+0110", "0001+0001", "1 1 1 11", "AA1"]
    assert costs["n_chars"].tolist() == [len(text) for text in texts]
    assert (
        costs[["reasoning_tokens", "answer_tokens", "output_tokens", "prompt_tokens", "stop"]]
        .isna()
        .all(axis=None)
    )
    assert set(costs["counted"]) == {"unknown"}
    assert costs["correct"].tolist() == [0.0] * 4
    for words in (
        "no stop reasons and no token counts",
        "name the model's tokenizer",
        "cut at a limit is unknown",
    ):
        assert words in remarks(imported)


def test_texts_are_tokenized_again_when_a_tokenizer_is_named(logs, letters):
    imported = read("lm-eval", logs / "lm-eval-scripted", tokenizer=letters)
    costs = imported.costs
    first = costs[costs["sample"] == 0]
    written = [row["resps"][0][0] for row in raw(logs / "lm-eval-scripted") if row["filter"] == "none"]
    for row, text in zip(first.itertuples(), written, strict=True):
        reasoning, answer = text.removeprefix("<think>").split("</think>")
        assert (row.reasoning_tokens, row.answer_tokens, row.tags) == (len(reasoning), len(answer), "closed")
    assert set(costs["counted"]) == {"retokenised"}
    assert "12 replies were counted by tokenizing" in remarks(imported)
    assert "12 replies are within 1 % of the limit" in remarks(imported)  # 40 tokens, and each is longer


def test_repeats_are_samples_graded_one_by_one(logs):
    imported = read("lm-eval", logs / "lm-eval-scripted")
    by_sample = imported.costs.groupby("sample")
    assert by_sample["correct"].mean().tolist() == [1.0, 0.0, 0.0]
    assert [set(group["tags"]) for _, group in by_sample] == [{"closed"}, {"closed, repeated"}, {"unclosed"}]
    assert "one verdict for all of them" in remarks(imported)
    assert "answer keys" in remarks(imported)


def test_reasoning_that_the_tool_threw_away_is_not_taken_for_none(logs, letters):
    imported = read("lm-eval", logs / "lm-eval-stripped", tokenizer=letters)
    blank = ["reasoning_tokens", "answer_tokens", "n_chars", "words", "loop"]
    assert imported.costs[blank].isna().all(axis=None)
    assert set(imported.costs["tags"]) == {"hidden"}
    assert "threw the reasoning away" in remarks(imported)
    assert "4 of 4 replies came without their reasoning" in remarks(imported)


def test_the_arguments_of_a_model_may_be_one_text(write, tmp_path):
    path = write([SAMPLE], "m/samples_t_2026-01-02T03-04-05.6.jsonl")
    beside = path.with_name("results_2026-01-02T03-04-05.6.json")
    results = {"model_name": "org/some", "config": {"model_args": "pretrained=x,think_end_token=</think>"}}
    beside.write_text(json.dumps(results))
    costs = read("lm-eval", path).costs
    assert (costs["model"][0], costs["tags"][0]) == ("org/some", "hidden")
    beside.unlink()
    imported = read("lm-eval", path)
    assert (imported.costs["model"][0], imported.costs["tags"][0], imported.costs["n_chars"][0]) == (
        "m",
        "closed",
        2,
    )
    assert "no results file beside it" in remarks(imported)


def test_stop_strings_are_said(write):
    assert r"'\n\n'" in remarks(read("lm-eval", write([SAMPLE], "samples_t.jsonl")))


def test_the_filter_and_the_metric_can_be_chosen(logs):
    folder = logs / "lm-eval-hf"
    assert "after filter 'none'" in remarks(read("lm-eval", folder))
    assert "after filter 'last-line'" in remarks(read("lm-eval", folder, metric="exact_match,last-line"))
    with pytest.raises(ImportFormatError, match="no metric 'bleu'; it has: exact_match"):
        read("lm-eval", folder, metric="bleu")
    with pytest.raises(ImportFormatError, match="no filter 'x'; it has: none, last-line"):
        read("lm-eval", folder, metric="exact_match,x")


def test_items_are_called_by_a_field_or_by_the_number(write):
    rows = [SAMPLE | {"doc_id": place, "doc": {"question": "?", "uid": f"u{place}"}} for place in range(2)]
    path = write(rows, "samples_t.jsonl")
    plain, named = read("lm-eval", path), read("lm-eval", path, item="uid", task="mine", model="me")
    assert plain.costs["item"].tolist() == ["0", "1"]
    assert "called by their doc_id" in remarks(plain)
    assert named.costs[["model", "task", "item"]].to_numpy().tolist() == [
        ["me", "mine", "u0"],
        ["me", "mine", "u1"],
    ]
    with pytest.raises(ImportFormatError, match="no field 'nope'; it has: question, uid"):
        read("lm-eval", path, item="nope")


def test_a_second_run_gives_further_samples(logs, tmp_path):
    for run in ("a", "b"):
        shutil.copytree(logs / "lm-eval-hf", tmp_path / run)
    imported = read("lm-eval", tmp_path)
    assert sorted(imported.costs["sample"]) == [0] * 4 + [1] * 4
    assert "tiny ran binary-addition more than once" in remarks(imported)


def test_scored_choices_are_refused(write):
    row = SAMPLE | {"resps": [[["-1.5", "False"]], [["-0.2", "True"]]]}
    with pytest.raises(ImportFormatError, match="nothing was generated for task t, only answers were scored"):
        read("lm-eval", write([row], "samples_t.jsonl"))


def test_other_files_are_named_for_what_they_look_like(logs, tmp_path):
    (results,) = (logs / "lm-eval-hf").glob("results_*.json")
    for path, looks in [
        (logs / "inspect-scripted.json", "looks like a log of inspect_ai"),
        (logs / "inspect-scripted.eval", "is a log of inspect_ai"),
        (logs / "openai-batch-output.jsonl", "looks like the output of a batch.*import it as openai-batch"),
        (results, "looks like a results file.*samples_"),
    ]:
        with pytest.raises(ImportFormatError, match=looks):
            read("lm-eval", path)
    with pytest.raises(ImportFormatError, match=r"holds no samples_\*.jsonl"):
        read("lm-eval", tmp_path)


def test_a_torn_last_line_costs_one_reply_and_is_said(logs, tmp_path):
    (path,) = (logs / "lm-eval-scripted").glob("samples_*.jsonl")
    whole = path.read_bytes()
    torn = tmp_path / path.name
    torn.write_bytes(whole[: whole.rstrip().rindex(b"\n") + 200])
    imported = read("lm-eval", torn)
    assert len(imported.costs) == 12  # the torn row was of the other filter
    assert "the last line (8) is torn" in remarks(imported)
