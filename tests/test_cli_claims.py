import json

import pandas as pd
import pytest
from tests.findings.simulated import Truth, lineage_of, tables
from typer.testing import CliRunner

from handan.battery import Battery
from handan.cli import app
from handan.cli_claims import write_json
from handan.findings.claims import COLUMNS, MORE, Claims

run = CliRunner().invoke
FAST = ["--n-boot", "1000", "--jobs", "1"]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    costs, norms = tables(Truth(n_items=200))
    for name, table in dict(costs=costs, norms=norms, lineage=lineage_of()).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return [
        str(folder / "costs.csv"),
        *("--norms", str(folder / "norms.csv")),
        *("--lineage", str(folder / "lineage.csv")),
    ]


def test_csv_has_the_promised_columns_and_nothing_else(own):
    result = run(app, ["claims", *own, *FAST, "--format", "csv"])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "claim,study,paper,ours,low,high,verdict"
    assert any(line.startswith("collapse,made-up,above 0,") for line in lines)


def test_json_is_the_same_call_and_full_gives_every_column(own, tmp_path):
    out = tmp_path / "claims.json"
    short = run(app, ["claims", *own, *FAST, "--format", "json", "--out", str(out)])
    full = run(app, ["claims", *own, *FAST, "--format", "json", "--full"])
    rows, more = json.loads(short.stdout), json.loads(full.stdout)
    assert list(rows[0]) == COLUMNS
    assert list(more[0]) == [*COLUMNS, *MORE]
    assert json.loads(out.read_text())["claims"] == more


def test_the_table_counts_the_verdicts_and_progress_goes_to_stderr(own):
    result = run(app, ["claims", *own, *FAST])
    assert "not corrected for their number" in result.stdout
    assert "findings/s" in result.stderr
    assert "findings/s" not in result.stdout


def test_a_recorded_study_by_name():
    result = run(app, ["claims", "--study", "mip-math", *FAST, "--format", "csv"])
    assert result.exit_code == 0
    assert {line.split(",")[1] for line in result.stdout.splitlines()[1:]} == {"mip-math"}


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    target = tmp_path / "claims.json"
    target.write_text("old")
    bad = Claims(pd.DataFrame({"x": [object()]}), pd.DataFrame())
    with pytest.raises(TypeError):
        write_json(bad, Battery({}, pd.DataFrame(), pd.DataFrame()), target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["claims.json"]


def test_what_is_left_out_is_said_and_kept(own, tmp_path):
    costs = pd.read_csv(own[0])
    costs.loc[:3, "reasoning_tokens"] = 0
    costs.to_csv(tmp_path / "costs.csv", index=False)
    out = tmp_path / "claims.json"
    result = run(app, ["claims", str(tmp_path / "costs.csv"), *own[1:], *FAST, "--out", str(out)])
    assert "4 cost rows left out, the cost is zero" in result.stderr
    told = json.loads(out.read_text())
    assert told["remarks"] == ["made-up: 4 cost rows left out, the cost is zero (teacher-0)"]
    assert told["facts"][0]["excluded"] == 4
    assert {row["finding"] for row in told["skipped"]} == {"across"}


def test_a_missing_folder_is_told_before_anything_is_computed(own, tmp_path):
    result = run(app, ["claims", *own, "--out", str(tmp_path / "nowhere" / "claims.json")])
    assert result.exit_code == 2
    assert "findings/s" not in result.stderr
