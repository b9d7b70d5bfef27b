import json

import pandas as pd
import pytest
from tests.findings.simulated import Truth, lineage_of, tables
from typer.testing import CliRunner

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
    assert any(line.startswith("collapse,made-up,0.3,") for line in lines)


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
        write_json(bad, target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["claims.json"]
