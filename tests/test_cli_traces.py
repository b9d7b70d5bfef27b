import csv
import io
import itertools
import json
import os
import sys

import pandas as pd
import pytest
from tests.traces.stored import request_of

pytest.importorskip("torch")

ASK = ("traces", "base-carry-s0", "--task", "binary-addition", "--max-new-tokens", "96", "--temperature", "1")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store that the command made: twelve sums, one sample."""
    from handan.traces import Decoding, jobs
    from handan.traces.choose import Options

    folder = tmp_path_factory.mktemp("cli") / "traces"
    job = jobs.prepare("base-carry-s0", ["binary-addition"], Decoding(96, 1.0), Options(), limit=12)
    jobs.execute(job, folder)
    return folder


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_whole_way_from_a_model_to_a_correlation(handan, tmp_path):
    out, costs = tmp_path / "traces", tmp_path / "costs.csv"
    code, said, notes = handan(*ASK, "--limit", "12", "--out", out)
    assert code == 0
    assert "12 answered" in said
    assert "this is a CPU" in notes
    assert "rows in" in notes  # the last line of the progress
    code, said, _ = handan(*ASK, "--limit", "12", "--out", out)
    assert (code, "nothing to do" in said) == (0, True)
    assert handan("costs", out, "--out", costs)[0] == 0
    table = pd.read_csv(costs)
    assert len(table) == 12
    parts = table[["reasoning_tokens", "answer_tokens", "markup_tokens"]].sum(axis=1)
    assert (parts == table["output_tokens"]).all()
    code, said, _ = handan("align", costs, "--n-boot", "200", "--format", "json")
    assert (code, json.loads(said)[0]["n"]) == (0, 12)


def test_a_dry_run_counts_and_writes_nothing(handan, tmp_path):
    out = tmp_path / "traces"
    code, said, _ = handan(
        *ASK, "--samples", "2", "--out", out, "--dry-run", "--price-out", "2", "--format", "csv"
    )
    found = {row["what"]: row["value"] for row in rows(said)}
    assert code == 0
    assert (found["requests"], found["to do"], found["in the store"]) == ("512", "512", "0")
    assert found["at most"] == f"{512 * 96:,}"
    assert {"memory", "time", "price", "tokens to read"} <= set(found)
    assert not out.exists()


def test_a_dry_run_knows_what_is_there_and_how_fast_it_came(handan, store):
    code, said, _ = handan(
        *ASK, "--limit", "12", "--samples", "2", "--out", store, "--dry-run", "--format", "csv"
    )
    found = {row["what"]: row for row in rows(said)}
    assert (code, found["in the store"]["value"], found["to do"]["value"]) == (0, "12", "12")
    assert "in the store" in found["tokens to write"]["how"]
    assert "measured" in found["time"]["how"]


def test_why_names_the_setting_that_differs(handan, store):
    code, said, _ = handan(*ASK[:-1], "0.7", "--limit", "12", "--out", store, "--why", "--format", "csv")
    assert code == 0
    assert {(row["part"], row["stored"], row["asked"]) for row in rows(said)} == {
        ("temperature", "1.0", "0.7")
    }


def test_status_counts_by_model_and_task(handan, store):
    code, said, _ = handan("traces", "status", store, "--format", "json")
    found = json.loads(said)[0]
    assert (code, found["model"], found["task"], found["rows"]) == (0, "base-carry-s0", "binary-addition", 12)


def test_show_writes_a_trace_that_a_terminal_does_not_obey(handan, store, tmp_path):
    from handan.traces import Completion
    from handan.traces.rows import row
    from handan.traces.store import Store

    code, said, _ = handan("traces", "show", store, "0000+0000")
    assert code == 0
    assert "binary-addition 0000+0000" in said
    assert "<think>" in said
    evil = tmp_path / "evil"
    with Store.open(store, writable=False) as source, Store.open(evil) as target:
        first = source.read().iloc[0].to_dict()
        asked = request_of(first)
        target.add(row(asked, Completion(asked.key, "\x1b[2Jgone\x07\nAnswer: 0", "stop", (1,)), "e"))
    code, said, _ = handan("traces", "show", evil, first["item"])
    assert (code, "\x1b" in said, "\x07" in said, r"\x1b[2Jgone\x07" in said) == (0, False, False, True)


def test_compact_keeps_every_row(handan, store):
    assert handan("traces", "compact", store)[0] == 0
    assert json.loads(handan("traces", "status", store, "--format", "json")[1])[0]["rows"] == 12


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("traces", "base-carry-s0"), "--task"),
        (("traces", "base-carry-s0", "--task", "sums"), "sums"),
        (("traces", "base-carry-s0", "--task", "arc", "--dry-run"), "norms only"),
        (("traces", "no-such-model", "--task", "syllogisms", "--dry-run"), "neither a folder nor a hub id"),
        (("traces", "o1", "--task", "syllogisms", "--dry-run"), "--engine openai"),
        ((*ASK[:-1], "-1", "--dry-run"), "temperature"),
        ((*ASK[:-1], "0", "--samples", "2", "--dry-run"), "same"),
        ((*ASK, "--limit", "0", "--dry-run"), "limit"),
        ((*ASK, "--device", "tpu", "--dry-run"), "tpu"),
        ((*ASK, "--dtype", "float8", "--dry-run"), "float8"),
        ((*ASK, "--quantize", "3", "--dry-run"), "4 or 8"),
        ((*ASK, "--engine", "openai", "--dry-run"), "--base-url"),
        ((*ASK, "--prompt", "cod", "--dry-run"), "'cod' is not one of 'wording', 'code'"),
        ((*ASK, "--price-in", "-3", "--dry-run"), "--price-in"),
        ((*ASK, "--price-out", "-3", "--dry-run"), "--price-out"),
        ((*ASK,), "--out"),
        ((*ASK, "--out", "x", "--write-batch", "b.jsonl"), "--engine openai"),
        (("traces", "status", "no-such-folder"), "no-such-folder"),
        (("costs", "no-such-folder", "--out", "c.csv"), "no-such-folder"),
        (("import", "diary", "x", "--out", "c.csv"), "lm-eval"),
        (("import", "jsonl", "no-such-file", "--out", "c.csv"), "no-such-file"),
        (("import", "jsonl", "x", "--column", "item", "--out", "c.csv"), "OURS=THEIRS"),
    ],
)
def test_a_mistake_gets_one_message_that_names_it(handan, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    code, _, notes = handan(*arguments)
    assert code in (1, 2)
    assert says in " ".join(notes.replace("│", " ").split())
    assert "Traceback" not in notes


WAYS = {
    "--dry-run": [], "--why": [], "--write-batch": ["batch.jsonl"], "--read-batch": ["absent.jsonl"],
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(WAYS, 2)))
def test_ways_that_exclude_each_other_are_refused_before_anything_is_done(
    handan, tmp_path, monkeypatch, one, other
):
    monkeypatch.chdir(tmp_path)
    code, _, notes = handan(*ASK, "--out", "x", one, *WAYS[one], other, *WAYS[other])
    said = " ".join(notes.replace("│", " ").split())
    assert (code, f"{one} and {other} exclude each other" in said) == (2, True), notes
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("package", "extra"), [("torch", "traces"), ("pyarrow", "traces")])
def test_a_package_that_is_not_installed_is_named_with_its_extra(
    handan, monkeypatch, tmp_path, package, extra
):
    for name in [
        one for one in sys.modules if one.split(".")[0] == package or one.startswith("handan.traces.")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    code, _, notes = handan(*ASK, "--limit", "1", "--out", tmp_path / "traces")
    assert code in (1, 2)
    assert f"handan[{extra}]" in notes
    assert "Traceback" not in notes


def test_a_store_of_two_decodings_tells_them_apart(handan, tmp_path):
    out, costs = tmp_path / "traces", tmp_path / "costs.parquet"
    handan(*ASK, "--limit", "6", "--out", out)
    handan(*ASK[:-1], "0.5", "--limit", "4", "--out", out)
    code, _, notes = handan("costs", out, "--out", costs, "--study", "mine")
    table = pd.read_parquet(costs)
    assert code == 0
    assert table["model"].value_counts().to_dict() == {"base-carry-s0": 6, "base-carry-s0@temperature=0.5": 4}
    assert set(table["study"]) == {"mine"}
    assert "other settings" in notes


def test_a_log_is_imported_with_a_column_map(handan, tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"q": "AA1", "n": 120}\n{"q": "AE1", "n": 80}\n')
    out = tmp_path / "costs.csv"
    columns = ("--column", "item=q", "--column", "reasoning_tokens=n")
    code, said, notes = handan(
        "import", "jsonl", log, *columns, "--model", "m", "--task", "syllogisms", "--out", out
    )
    assert (code, "2 rows" in said) == (0, True), notes
    assert pd.read_csv(out)["reasoning_tokens"].tolist() == [120, 80]
    assert handan("align", out, "--n-boot", "100")[0] == 0


def test_batch_files_go_out_and_come_back(handan, tmp_path):
    out, batch, reply = tmp_path / "traces", tmp_path / "batch.jsonl", tmp_path / "reply.jsonl"
    ask = ("traces", "some-model", "--task", "syllogisms", "--limit", "3", "--engine", "openai", "--out", out,
           "--base-url", "http://127.0.0.1:9/v1")  # fmt: skip
    code, said, notes = handan(*ask, "--write-batch", batch)
    assert (code, said.split()) == (0, [str(batch)]), notes
    asked = [json.loads(line) for line in batch.read_text().splitlines()]
    assert len(asked) == 3
    body = {"choices": [{"message": {"content": "Answer: No valid conclusion"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 5}}  # fmt: skip
    lines = [
        {"custom_id": one["custom_id"], "response": {"status_code": 200, "body": body}, "error": None}
        for one in asked
    ]
    reply.write_text("".join(json.dumps(line) + os.linesep for line in lines[:2]))
    code, said, notes = handan(*ask, "--read-batch", reply)
    assert (code, "2 answered" in said) == (0, True), notes
    code, said, _ = handan(*ask, "--dry-run", "--format", "csv")
    assert {row["what"]: row["value"] for row in rows(said)}["to do"] == "1"
