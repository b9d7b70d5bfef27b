import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.costs.importers.files import find_files, read_records
from handan.traces.errors import ImportFormatError

ROWS = [{"a": "é\u2028\u0085 ≈"}, {"a": None}]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


@pytest.fixture
def save(tmp_path):
    def saving(raw):
        (tmp_path / "x.jsonl").write_bytes(raw)
        return tmp_path / "x.jsonl"

    return saving


@pytest.mark.parametrize(
    "raw",
    [LINES, b"\xef\xbb\xbf" + LINES, LINES.replace(b"\n", b"\r\n"), LINES.replace(b"\n", b"\n\n"), LINES.rstrip(),
     gzip.compress(LINES), gzip.compress(LINES[:30]) + gzip.compress(LINES[30:])],
)  # fmt: skip
def test_lines_are_read_however_they_are_stored(save, raw):
    records, remarks = read_records(save(raw))
    assert [row for _, row in records] == ROWS
    assert remarks == []


def test_lines_are_numbered_as_in_the_file(save):
    records, _ = read_records(save(b'\n{"a": 1}\n\n{"a": 2}\n'))
    assert [line for line, _ in records] == [2, 4]


@settings(deadline=None)
@given(st.integers(0, len(LINES) - 1))
def test_a_file_cut_anywhere_loses_its_last_line_at_most_and_says_so(tmp_path_factory, place):
    path = tmp_path_factory.mktemp("cut") / "x.jsonl"
    path.write_bytes(LINES[:place])
    whole = LINES[:place].count(b"\n")
    try:
        records, remarks = read_records(path)
    except ImportFormatError:
        assert whole == 0
        return
    rows = [row for _, row in records]
    assert rows[:whole] == ROWS[:whole]
    rest = LINES[:place].split(b"\n")[-1]
    assert len(rows) == whole + (len(rows) > whole)
    assert ("torn" in "".join(remarks)) == (bool(rest.strip()) and len(rows) == whole)


def test_a_torn_gzip_file_gives_what_can_be_had(save):
    many = b"".join(
        json.dumps({"a": number, "b": str(hash((number, "x")))}).encode() + b"\n" for number in range(5000)
    )
    zipped = gzip.compress(many)
    records, remarks = read_records(save(zipped[: len(zipped) // 2]))
    assert 1000 < len(records) < 5000
    assert [row["a"] for _, row in records] == list(range(len(records)))
    assert "torn" in remarks[0]


def test_broken_lines_in_the_middle_are_left_out_and_said(save):
    deep = b"[" * 100_000
    records, remarks = read_records(save(b'{"a": 1}\n{"a": \n7\n' + deep + b'\n{"a": NaN}\n'))
    assert len(records) == 2
    assert remarks == ["x.jsonl: 3 lines are no JSON objects and were left out: 2, 3, 4"]


def test_a_huge_line_is_read(save):
    records, _ = read_records(save(json.dumps({"a": "x" * 30_000_000}).encode()))
    assert len(records[0][1]["a"]) == 30_000_000


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"hello\nyou\n", "no JSON: no line of it is a JSON object"),
        (b"PAR1\x00\x00", "is a Parquet file"),
        (b"\x00\x01\x02", "no text"),
        (b'[{"a": 1}, 3]', "element 2 is no JSON object: '3'"),
        (b'[{"a": 1}', "not JSON, or is torn"),
        (b"[]", "an empty list"),
        (b"\x1f\x8b\x08\x00garbage garbage garbage", "damaged"),
    ],
)
def test_what_can_t_be_read_is_explained(save, raw, words):
    with pytest.raises(ImportFormatError, match=words):
        read_records(save(raw))


def test_files_are_found_one_by_one_or_below_a_folder(tmp_path):
    for name in ("b/2.x", "a/1.x", "a/1.y"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [file.name for file in find_files(tmp_path, ("*.x",))] == ["1.x", "2.x"]
    assert list(find_files([tmp_path / "z", tmp_path / "a"], ("*.y",))) == [
        tmp_path / "z",
        tmp_path / "a/1.y",
    ]
    with pytest.raises(ImportFormatError, match=r"holds no \*.q or \*.r"):
        list(find_files(tmp_path, ("*.q", "*.r")))
