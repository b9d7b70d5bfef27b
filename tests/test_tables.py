import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handan.tables import (
    COSTS,
    TableError,
    check_costs,
    check_lineage,
    check_norms,
    check_reliability,
    packaged,
    read_table,
)


def costs(**columns) -> pd.DataFrame:
    base = {"model": ["m", "m"], "task": ["t", "t"], "item": ["1", "2"], "reasoning_tokens": [10, 20]}
    return pd.DataFrame(base | columns)


def problems(check, frame) -> list[str]:
    with pytest.raises(TableError) as caught:
        check(frame)
    return [str(problem) for problem in caught.value.problems]


def test_a_minimal_costs_table_is_completed():
    checked = check_costs(costs())
    assert list(checked.columns) == [column.name for column in COSTS]
    assert checked["sample"].tolist() == [0, 0]
    assert checked["study"].tolist() == ["yours", "yours"]
    assert checked["stop"].isna().all()


def test_the_input_is_not_changed_and_further_columns_stay():
    frame = costs(note=["a", "b"])
    before = frame.copy(deep=True)
    assert check_costs(frame)["note"].tolist() == ["a", "b"]
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"reasoning_tokens": [10, -1]}, "row 1, column 'reasoning_tokens': -1 is below 0"),
        ({"reasoning_tokens": [10, "many"]}, "row 1, column 'reasoning_tokens': 'many' is not a number"),
        ({"reasoning_tokens": [np.inf, 3]}, "row 0, column 'reasoning_tokens': inf is not finite"),
        ({"prompt_tokens": [1.5, 2]}, "row 0, column 'prompt_tokens': 1.5 is not a whole number"),
        ({"stop": ["stop", "eof"]}, "row 1, column 'stop': 'eof' is not one of stop, length, error"),
        ({"model": ["m", " "]}, "row 1, column 'model': empty"),
        ({"correct": [0, 2]}, "row 1, column 'correct': 2 is above 1"),
        ({"sample": [0, -1]}, "row 1, column 'sample': -1 is below 0"),
    ],
)
def test_one_bad_cell_is_named(columns, expected):
    assert problems(check_costs, costs(**columns)) == [expected]


def test_every_bad_row_is_named_even_when_the_message_is_cut():
    frame = pd.DataFrame({"model": "m", "task": "t", "item": range(100), "reasoning_tokens": [-1] * 100})
    with pytest.raises(TableError, match=r"100 problems.*\n(.*\n)+.*and 80 more") as caught:
        check_costs(frame)
    assert len(caught.value.problems) == 100


def test_a_missing_measurement_is_no_error():
    checked = check_costs(costs(reasoning_tokens=[np.nan, 20]))
    assert checked["reasoning_tokens"].isna().tolist() == [True, False]


def test_a_repeated_row_names_the_first_one():
    found = problems(check_costs, costs(item=["1", "1"]))
    assert found == ["row 1, column 'sample': repeats row 0 (study=yours, model=m, task=t, item=1, sample=0)"]
    assert len(check_costs(costs(item=["1", "1"], sample=[0, 1]))) == 2


def test_a_missing_column_says_what_there_is():
    found = problems(check_costs, costs().drop(columns="reasoning_tokens"))
    assert found == ["header, column 'reasoning_tokens': missing (the table has: model, task, item)"]


def test_norms_need_a_measure_and_seconds_in_logs():
    frame = pd.DataFrame({"task": ["t"], "item": ["1"]})
    assert "log_rt" in problems(check_norms, frame)[0]
    assert check_norms(frame.assign(difficulty=3))["log_rt"].isna().all()
    # milliseconds that were never logged: e**2500 s would be longer than the universe
    assert "is above" in problems(check_norms, frame.assign(log_rt=2500.0))[0]


def test_an_empty_table_is_an_error():
    assert "no rows" in problems(check_costs, costs().iloc[:0])[0]


def test_lineage_roles_are_known():
    frame = pd.DataFrame({"model": ["a", "b"], "role": ["teacher", "prof"]})
    assert problems(check_lineage, frame) == [
        "row 1, column 'role': 'prof' is not one of teacher, student, reinforced-student, baseline"
    ]


def test_reliability_stays_between_minus_one_and_one():
    assert "is above 1" in problems(check_reliability, pd.DataFrame({"task": ["t"], "reliability": [1.2]}))[0]


def test_codes_stay_text_and_lines_are_those_of_the_file(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text("model,task,item,reasoning_tokens\nm,t,0011,5\nm,t,0011,6\n")
    frame = read_table(path)
    assert frame["item"].tolist() == ["0011", "0011"]
    assert problems(check_costs, frame)[0].startswith("line 3,")


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2,3\n4,5,6,7\n", b"\xff\xfe\x00bad\x00", b'a,b\n"torn in the middle'], ids=repr
)
def test_a_file_that_is_no_table_is_one_clear_error(tmp_path, content):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(TableError):
        check_costs(read_table(path))


def test_an_absent_file_and_an_absent_packaged_file(tmp_path):
    with pytest.raises(TableError, match="no such file"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(FileNotFoundError, match="reinstall"):
        packaged("nothing.csv")


cell = st.one_of(st.none(), st.floats(), st.integers(-5, 50), st.text(max_size=3))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("12"), cell), min_size=1, max_size=6))
def test_any_table_either_passes_whole_or_names_rows_that_exist(rows):
    frame = pd.DataFrame(rows, columns=["model", "item", "reasoning_tokens"]).assign(task="t")
    try:
        checked = check_costs(frame)
    except TableError as error:
        known = {f"row {place}" for place in range(len(frame))} | {"header", "file"}
        assert error.problems
        assert {problem.row for problem in error.problems} <= known
    else:
        assert len(checked) == len(frame)
        kept = checked["reasoning_tokens"].dropna()
        assert ((kept >= 0) & np.isfinite(kept)).all()
        again = check_costs(checked)
        pd.testing.assert_frame_equal(again, checked)


def read(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n3,4,\n", "line 3, column '-': 3 fields, but the header has 2"),
        ("a,b\n1,2\n3\n", "line 3, column '-': 1 fields, but the header has 2"),
        ("a;b\n1;2\n", "separated by ';'; use commas"),
        ("a,a\n1,2\n", "header, column 'a': named twice"),
        ("a,b\n1,x\0y\n", "line 2, column '-': holds a NUL"),
        ("a,b\n1,2\n".encode("utf-16"), "not UTF-8 text"),
    ],
)
def test_a_row_that_does_not_fit_its_header_is_never_shifted(tmp_path, text, expected):
    with pytest.raises(TableError) as caught:
        read(tmp_path, text)
    assert expected in str(caught.value)


def test_lines_are_counted_through_blank_lines_and_quoted_newlines(tmp_path):
    text = 'model,task,item,reasoning_tokens\n\nm,t,"1\n2",5\n\nm,t,3,-4\n'
    assert problems(check_costs, read(tmp_path, text)) == ["line 6, column 'reasoning_tokens': -4 is below 0"]


def test_a_bom_crlf_spaces_in_the_header_and_items_called_na(tmp_path):
    text = "\ufeffmodel, task,item,reasoning_tokens,extra\r\nm,t,NA,5,1.5\r\nm,t,null,,2\r\n"
    checked = check_costs(read(tmp_path, text))
    assert checked["item"].tolist() == ["NA", "null"]
    assert checked["reasoning_tokens"].isna().tolist() == [False, True]
    assert checked["extra"].tolist() == [1.5, 2.0]


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(TableError, match="cannot be read"):
        read_table(tmp_path)


def test_a_blank_study_gets_the_default_and_is_not_lost():
    checked = check_costs(costs(study=["mine", None]))
    assert checked["study"].tolist() == ["mine", "yours"]


def test_a_packed_table_reads_like_a_plain_one(tmp_path):
    text = "model,task,item,reasoning_tokens\nm,t,0110,3\n"
    (tmp_path / "costs.csv").write_text(text)
    (tmp_path / "costs.csv.gz").write_bytes(gzip.compress(text.encode()))
    pd.testing.assert_frame_equal(read_table(tmp_path / "costs.csv.gz"), read_table(tmp_path / "costs.csv"))


@pytest.mark.parametrize(
    "damage", [lambda packed: packed[:-9], lambda packed: b"model,task\n", lambda _: b""]
)
def test_a_torn_packed_table_is_one_clear_error_or_empty(tmp_path, damage):
    path = tmp_path / "costs.csv.gz"
    path.write_bytes(damage(gzip.compress(b"model,task,item,reasoning_tokens\nm,t,0110,3\n")))
    with pytest.raises(TableError, match=r"costs\.csv\.gz"):
        read_table(path)
