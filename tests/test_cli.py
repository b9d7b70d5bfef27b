import csv
import io
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from handan import norms
from handan.output import harmless


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def own(tmp_path):
    rng = np.random.default_rng(0)
    human = rng.normal(1, 0.3, 40)
    items = [f"{k:04d}" for k in range(40)]
    people = pd.DataFrame({"task": "sums", "item": items, "log_rt": human})
    rows = [
        (model, "sums", item, round(np.exp(6 + weight * (h - 1) + rng.normal(0, 0.2))))
        for model, weight in (("big", 1.0), ("small", 0.0))
        for item, h in zip(items, human, strict=True)
    ]
    costs = pd.DataFrame(rows, columns=["model", "task", "item", "reasoning_tokens"])
    lineage = pd.DataFrame(
        {"model": ["big", "small"], "role": ["teacher", "student"], "teacher": [None, "big"]}
    )
    paths = {}
    for name, frame in (("costs", costs), ("norms", people), ("lineage", lineage)):
        paths[name] = tmp_path / f"{name}.csv"
        frame.to_csv(paths[name], index=False)
    return paths


def test_align_prints_the_published_tasks_as_csv(handan):
    code, out, _ = handan("align", "--study", "pnas-r1", "--n-boot", 100, "--format", "csv")
    rows = table(out)
    assert code == 0
    assert out.startswith("study,task,model,n,r,r_low,r_high,")
    assert [row["task"] for row in rows] == [
        "arithmetic-numeric", "arithmetic-verbal", "h-arc", "logic-ale", "relational", "syllogisms"
    ]  # fmt: skip
    assert float(rows[0]["r"]) == pytest.approx(0.628, abs=5e-4)


def test_json_has_the_same_rows_and_no_nan(handan):
    code, out, err = handan("align", "--study", "mip-math", "--n-boot", 100, "--format", "json")
    rows = json.loads(out, parse_constant=lambda name: pytest.fail(name))
    assert (code, len(rows)) == (0, 6)
    assert rows[0]["ceiling"] is None
    assert isinstance(rows[0]["n"], int)


def test_the_table_fits_the_eye(handan):
    code, out, err = handan("align", "--study", "mip-gsm8k", "--n-boot", 100)
    assert code == 0
    assert "DeepSeek-R1-Distill-Qwen-32B" in out
    assert "1 cost row left out, the cost is missing (DeepSeek-R1)" in err


def test_own_files_need_only_the_required_columns(handan, own):
    code, out, _ = handan("align", own["costs"], "--norms", own["norms"], "--n-boot", 100, "--format", "csv")
    rows = table(out)
    assert code == 0
    assert [(row["model"], row["n"]) for row in rows] == [("big", "40"), ("small", "40")]
    assert rows[0]["study"] == "yours"


def test_own_files_can_be_compared(handan, own):
    arguments = [
        "compare",
        own["costs"],
        "--norms",
        own["norms"],
        "--lineage",
        own["lineage"],
        "--n-boot",
        200,
    ]
    code, out, _ = handan(*arguments, "--level", "pooled", "--format", "json")
    assert code == 0
    row = json.loads(out)[0]
    assert (row["claim"], row["relation"], row["verdict"]) == ("collapse", "own teacher", "supported")
    code, out, _ = handan(*arguments, "--claim", "transfer")
    assert code == 2


def test_own_costs_are_matched_with_the_bank(handan, tmp_path):
    bank = norms.load_bank(["binary-addition"])
    path = tmp_path / "costs.csv"
    tokens = np.exp(5 + bank["log_rt"] + np.random.default_rng(0).normal(0, 0.2, len(bank))).round()
    bank[["task", "item"]].assign(model="m", reasoning_tokens=tokens).to_csv(path, index=False)
    code, out, _ = handan("align", path, "--n-boot", 100, "--format", "csv")
    row = table(out)[0]
    assert (code, row["n"]) == (0, "256")
    known = norms.load_reliability().set_index("task").at["binary-addition", "reliability"]
    assert float(row["ceiling"]) == pytest.approx(known**0.5)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("model,task,item\nm,t,1\n", "column 'reasoning_tokens': missing"),
        (
            "model,task,item,reasoning_tokens\nm,sums,0001,-4\n",
            "line 2, column 'reasoning_tokens': -4 is below 0",
        ),
        ("model,task,item,reasoning_tokens\nm,sums,9999,4\n", "share no task and item"),
        ("", "cannot be read as CSV"),
    ],
)
def test_a_bad_file_is_named_with_its_line(handan, own, content, words):
    own["costs"].write_text(content)
    code, out, err = handan("align", own["costs"], "--norms", own["norms"])
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_wrong_calls_are_explained(handan, own):
    for arguments, words in [
        (["align", "--study", "nope"], "there are: pnas-r1"),
        (["align", "--cost", "tokenz"], "no column 'tokenz'"),
        (["align", "--norms", own["norms"]], "costs file of your own"),
        (["align", own["costs"], "--study", "pnas-r1"], "not both"),
        (["align", "nothing.csv"], "no such file"),
        (["bank", "binary-additon"], "binary-addition"),
        (["bank", "--item", "AE1"], "name the task"),
        (["bank", "syllogisms", "--item", "XX9"], "AE1"),
        (["compare", own["costs"], "--norms", own["norms"], "--n-boot", "100"], "handan models"),
        (["book", "-p", "seed"], "name=value"),
    ]:
        code, _, err = handan(*arguments)
        assert code == 2, arguments
        assert words in " ".join(err.replace("│", " ").split()), arguments


def test_bank_lists_tasks_items_and_problems(handan):
    _, out, _ = handan("bank", "--format", "csv")
    assert {row["task"]: int(row["items"]) for row in table(out)} == {
        "digit-addition": 119, "word-addition": 122, "binary-addition": 256, "binary-subtraction": 136,
        "syllogisms": 64, "cardinal-directions": 64, "spatial-relations": 16, "game-of-24": 1362,
        "tower-of-london": 25, "conditional-inference": 8, "arc": 414,
    }  # fmt: skip
    _, out, _ = handan("bank", "binary-addition", "--format", "csv")
    assert len(table(out)) == 256
    assert table(out)[0]["item"] == "0000+0000"
    _, out, _ = handan("bank", "syllogisms", "--item", "AE1")
    assert "Key:" in out


def test_models_name_roles_and_starting_points(handan):
    _, out, _ = handan("models", "--format", "json")
    rows = {row["model"]: row for row in json.loads(out)}
    assert rows["DeepSeek-R1-Distill-Qwen-7B"]["base"] == "Qwen2.5-Math-7B"
    assert rows["DeepSeek-R1-Distill-Qwen-7B"]["sibling"] == "Qwen2.5-7B-Instruct"


def test_a_model_name_cannot_command_the_terminal(handan, own):
    evil = "\x1b[31mbig[bold]\u202e"
    text = own["costs"].read_text().replace("big", evil)
    own["costs"].write_text(text)
    code, out, err = handan("align", own["costs"], "--norms", own["norms"], "--n-boot", 100)
    assert code == 0
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert r"\x1b[31mbig[bold]\u202e" in out
    assert harmless("plain text, ü") == "plain text, ü"


def test_the_installed_command_can_be_piped():
    done = subprocess.run(
        [sys.executable, "-m", "handan.cli", "models", "--format", "csv"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("model,role,teacher,base,sibling")
    assert done.stderr == ""
