import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.costs import load_study
from handan.costs.files import read_costs, write_costs
from handan.schema import TableError
from handan.tables import check_costs

ROW = {"model": "m", "task": "t", "item": "0011", "sample": 0, "reasoning_tokens": 983.0}
text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
name = text.filter(lambda value: value.strip() != "")
count = st.none() | st.integers(0, 2**40).map(float)
rows = st.lists(
    st.fixed_dictionaries({
        "model": name, "task": name, "item": name, "reasoning_tokens": count | st.floats(0, 1e9),
        "answer_tokens": count, "n_chars": count, "stop": st.sampled_from(["stop", "length", "error", None]),
        "correct": st.none() | st.floats(0, 1), "tokenizer": st.none() | text,
    }),
    min_size=1, max_size=6,
)  # fmt: skip


@pytest.mark.parametrize("ending", [".csv", ".Parquet"])
@settings(deadline=None, max_examples=30)
@given(rows=rows)
def test_a_table_comes_back_as_it_went(tmp_path_factory, ending, rows):
    table = check_costs(pd.DataFrame(rows).assign(sample=range(len(rows))))
    path = write_costs(table, tmp_path_factory.mktemp("t") / f"costs{ending}")
    pd.testing.assert_frame_equal(read_costs(path), table, rtol=1e-15)


def test_csv_keeps_whole_numbers_whole_and_truth_values_true(tmp_path):
    frame = pd.DataFrame([ROW, ROW | {"sample": 1, "reasoning_tokens": np.nan}])
    frame["loop"] = pd.array([True, None], dtype="boolean")
    path = write_costs(frame, tmp_path / "x.csv")
    assert ",983," in path.read_text()
    back = read_costs(path)
    assert back["item"].tolist() == ["0011", "0011"]
    assert back["loop"].tolist() == [True, pd.NA]
    assert math.isnan(back["reasoning_tokens"][1])


def test_a_carriage_return_stays_inside_its_field(tmp_path):
    frame = pd.DataFrame([ROW | {"item": "a\rb"}, ROW | {"item": 'c\r\n"d"'}])
    assert read_costs(write_costs(frame, tmp_path / "x.csv"))["item"].tolist() == ["a\rb", 'c\r\n"d"']


def test_a_recorded_study_survives_both_forms(tmp_path):
    costs = load_study("mip-math").costs
    for ending in ("csv", "parquet"):
        back = read_costs(write_costs(costs, tmp_path / f"x.{ending}"))
        pd.testing.assert_frame_equal(back, costs, check_dtype=ending == "parquet")


@pytest.mark.parametrize("ending", ["xlsx", "csv.gz", ""])
def test_another_ending_is_refused_both_ways(tmp_path, ending):
    path = tmp_path / f"costs.{ending}"
    for act in (lambda: write_costs(pd.DataFrame([ROW]), path), lambda: read_costs(path)):
        with pytest.raises(TableError, match=r"is unknown; use .csv or .parquet"):
            act()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch, ending):
    path = write_costs(pd.DataFrame([ROW]), tmp_path / f"x.{ending}")
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, f"to_{ending}", full)
    with pytest.raises(TableError, match="can't be written: No space left on device"):
        write_costs(pd.DataFrame([ROW | {"item": "other"}]), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_costs_table_is_refused(tmp_path):
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and then nothing")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for name, words in [("torn.parquet", "no Parquet file"), ("absent.parquet", "no such file"),
                        ("absent.csv", "no such file"), ("other.csv", "'model': missing")]:  # fmt: skip
        with pytest.raises(TableError, match=words):
            read_costs(tmp_path / name)
    with pytest.raises(TableError, match="column 'model': missing"):
        write_costs(pd.DataFrame({"a": [1]}), tmp_path / "x.csv")
    with pytest.raises(TableError, match="row 0, column 'item': holds a NUL"):
        write_costs(pd.DataFrame([ROW | {"item": "a\0b"}]), tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()
