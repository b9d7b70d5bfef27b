import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from handan.cli_report import command
from handan.norms import load_bank

FAMILY = ("DeepSeek-R1", "DeepSeek-R1-Distill-Qwen-7B", "Qwen2.5-7B-Instruct", "Qwen2.5-Math-7B")
ITEMS = [f"i{k}" for k in range(24)]


@pytest.fixture
def tables():
    """Costs, norms and lineage of a teacher, its student and the student's base."""
    rng = np.random.default_rng(0)
    human = rng.normal(1, 0.4, len(ITEMS))
    rows = [
        (model, "t", item, round(np.exp(5 + weight * time + rng.normal(0, 0.25))))
        for model, weight in (("big", 1.0), ("small", 0.2), ("base", 0.7))
        for item, time in zip(ITEMS, human, strict=True)
    ]
    lineage = [
        ("big", "teacher", None, None),
        ("small", "student", "big", "base"),
        ("base", "baseline", None, None),
    ]
    return {
        "costs": pd.DataFrame(rows, columns=["model", "task", "item", "reasoning_tokens"]),
        "norms": pd.DataFrame({"task": "t", "item": ITEMS, "log_rt": human}),
        "lineage": pd.DataFrame(lineage, columns=["model", "role", "teacher", "base"]),
    }  # fmt: skip


@pytest.fixture
def make(handan, tables, tmp_path):
    """Change the tables, run the command on them; gives exit code, JSON (or None) and messages."""

    def run(*options, **changed):
        for name, frame in (tables | changed).items():
            frame.to_csv(tmp_path / f"{name}.csv", index=False)
        files = [
            tmp_path / "costs.csv",
            "--norms",
            tmp_path / "norms.csv",
            "--lineage",
            tmp_path / "lineage.csv",
        ]
        page = tmp_path / "r.html"
        code, out, err = handan("report", *files, "--out", page, "--n-boot", 100, "--jobs", 1, *options)
        told = (
            json.loads(page.with_suffix(".json").read_text()) if page.with_suffix(".json").exists() else None
        )
        assert page.exists() is (told is not None) is (code == 0)
        return code, told, out + err

    return run


def test_a_report_answers_and_its_own_command_makes_it_again(make, handan, tmp_path):
    code, told, said = make("--title", "Our <own> study", "--seed", 3)
    assert code == 0
    verdicts = {row["claim"]: row["verdict"] for row in told["claims"]}
    assert verdicts["collapse"] == "supported"
    assert told["title"] == "Our <own> study"
    assert f"the report is in {tmp_path / 'r.html'}" in said
    assert "Our &lt;own&gt; study" in (tmp_path / "r.html").read_text()
    code, _, _ = handan(*shlex.split(told["command"])[1:], "--jobs", 1)
    again = json.loads((tmp_path / "r.json").read_text())
    assert code == 0
    assert {**again, "made": None} == {**told, "made": None}


def test_another_input_gives_another_page(make, tables):
    costs = tables["costs"].copy()
    costs.loc[costs["model"] == "small", "reasoning_tokens"] = costs.loc[
        costs["model"] == "big", "reasoning_tokens"
    ].to_numpy()
    code, told, _ = make(costs=costs)
    assert code == 0
    verdicts = {row["claim"]: row["verdict"] for row in told["claims"]}
    assert verdicts["collapse"] == "not supported"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.assign(item="z" + t["item"]), "share no task and item"),
        (lambda t: pd.concat([t, t.tail(1)]), "line 74, column 'sample': repeats line 73"),
        (lambda t: t.assign(reasoning_tokens=-1), "line 2, column 'reasoning_tokens': -1 is below 0"),
        (lambda t: t.assign(reasoning_tokens=np.inf), "is not finite"),
        (lambda t: t.assign(reasoning_tokens="many"), "'many' is not a number"),
        (lambda t: t.assign(stop="error"), "no cost row can be used: 72 x the request failed"),
        (lambda t: t.assign(reasoning_tokens=0), "no cost row can be used: 72 x the cost is zero"),
        (lambda t: t.head(0), "there are no rows"),
    ],
)
def test_tables_that_no_report_can_be_made_of_are_a_clear_error(make, tables, change, words):
    code, _, said = make(costs=change(tables["costs"]))
    assert code == 2
    assert words in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.head(1),
        lambda t: t.assign(reasoning_tokens=7),
        lambda t: t.assign(
            reasoning_tokens=t["reasoning_tokens"].where(t["model"] != "small"),
            stop=np.where(t["item"] < "i2", "error", "stop"),
            correct=np.nan,
            prompt_tokens=np.nan,
        ),
    ],
    ids=["one row", "constant cost", "a model without costs, failures, nothing graded"],
)
def test_tables_that_hold_little_still_give_a_page_that_says_so(make, tables, change):
    costs = change(tables["costs"])
    code, told, said = make(costs=costs)
    assert code == 0
    assert "Warning" not in said
    assert sum(row["rows"] for row in told["models"]) == len(costs)
    assert told["silent"]


def test_a_lineage_of_others_leaves_every_model_unplaced(make):
    others = pd.DataFrame({"model": ["x", "y"], "role": ["teacher", "student"], "teacher": [None, "x"]})
    code, told, _ = make(lineage=others)
    assert code == 0
    assert {row["role"] for row in told["models"]} == {"not in the lineage"}
    assert told["claims"] == []
    assert "not in the lineage, so not compared: big, small, base" in " ".join(told["remarks"])


def test_wrong_calls_are_explained_before_anything_is_read(handan, tmp_path):
    costs = tmp_path / "c.csv"
    for arguments, words in [
        (["--out", tmp_path], "is a folder"),
        (["--out", tmp_path / "report.txt"], "does not end in .html"),
        (["--out", tmp_path / "gone" / "r.html"], "there is no folder"),
        ([costs, "--study", "mip-math"], "not both"),
        (["--study", "nope"], "no study 'nope'"),
        ([costs], "no such file"),
        (["--norms", costs], "costs table of your own"),
    ]:
        code, _, err = handan("report", "--out", tmp_path / "r.html", *arguments)
        assert code == 2, arguments
        flat = " ".join(err.replace("│", " ").split())
        assert words in flat, err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write to")
def test_a_folder_that_refuses_files_is_a_clear_error(handan, tables, tmp_path):
    tables["costs"].to_csv(tmp_path / "c.csv", index=False)
    tables["norms"].to_csv(tmp_path / "n.csv", index=False)
    files = [tmp_path / "c.csv", "--norms", tmp_path / "n.csv"]
    code, _, err = handan("report", *files, "--out", "/proc/r.html", "--n-boot", 100, "--jobs", 1)
    assert code in (1, 2)
    assert "/proc" in err
    assert "Traceback" not in err


def test_a_recorded_study_brings_its_source_and_caveats(handan, tmp_path):
    page = tmp_path / "r.html"
    code, _, err = handan("report", "--study", "mip-math", "--out", page, "--n-boot", 100, "--jobs", 1)
    told = json.loads(page.with_suffix(".json").read_text())
    assert code == 0
    assert told["studies"] == ["mip-math"]
    assert {row["file"] for row in told["inputs"]} >= {"mip-math.csv", "mip-math-norms.csv", "lineage.csv"}
    assert "arXiv:2504.06514" in page.read_text()
    assert "findings/s, about" in err


def test_a_command_can_be_pasted_into_a_shell():
    spelled = command(Path("my costs.csv"), n_boot=200, study=["a b", "c"], title=None, cost="$x")
    words = [
        "handan",
        "report",
        "my costs.csv",
        "--n-boot",
        "200",
        "--study",
        "a b",
        "--study",
        "c",
        "--cost",
        "$x",
    ]
    assert shlex.split(spelled) == words


def test_two_hundred_thousand_rows_are_no_trouble(handan, tmp_path):
    bank = load_bank(["syllogisms", "spatial-relations"])
    asked = bank[["task", "item", "log_rt"]].merge(pd.DataFrame({"model": [*FAMILY]}), how="cross")
    samples = -(-200_000 // len(asked))
    costs = asked.loc[asked.index.repeat(samples)].reset_index(drop=True)
    costs["sample"] = np.tile(np.arange(samples), len(asked))
    noise = np.random.default_rng(0).normal(0, 0.3, len(costs))
    costs["reasoning_tokens"] = np.exp(5 + costs["log_rt"] + noise).round()
    costs.drop(columns="log_rt").to_csv(tmp_path / "c.csv", index=False)
    page = tmp_path / "r.html"
    code, _, _ = handan("report", tmp_path / "c.csv", "--out", page, "--n-boot", 100, "--jobs", 1)
    told = json.loads(page.with_suffix(".json").read_text())
    assert code == 0
    assert sum(row["used"] for row in told["models"]) == len(costs) >= 200_000
    assert page.stat().st_size < 5_000_000
    assert all(row["r"] > 0.5 for row in told["tables"]["alignment"])


def test_an_interrupt_ends_it_cleanly_and_leaves_nothing_half_written(tmp_path):
    words = [
        sys.executable,
        "-m",
        "handan.cli",
        "report",
        "--study",
        "mip-gsm8k",
        "--out",
        str(tmp_path / "r.html"),
    ]
    words += ["--n-boot", "50000", "--jobs", "1"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment) as running:
        # The first finding that is done shows that the battery is under way.
        first = running.stderr.readline() + running.stderr.readline()
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
    assert running.returncode == 130, first + rest
    assert rest.endswith("interrupted; no report was written\n")
    assert "Traceback" not in rest
    assert not list(tmp_path.iterdir())
