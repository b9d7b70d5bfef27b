import errno
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.traces.errors import StoreError
from handan.traces.journal import Journal
from handan.traces.store_lines import batches, decode, encode, walk

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=8,
)


def rows(path) -> list[dict]:
    return [row for _, batch in batches(path) for row in batch]


@given(st.dictionaries(texts, values))
@settings(deadline=None)
def test_a_line_is_json_and_comes_back(data):
    line = encode(data)
    assert line.count(b"\n") == 1
    assert decode(line) == data
    assert json.loads(line)["data"] == data


@given(st.dictionaries(texts, texts, min_size=1), st.data())
@settings(deadline=None)
def test_a_cut_or_altered_line_is_never_taken_for_a_row(data, draw):
    line = encode(data)
    cut = line[: draw.draw(st.integers(0, len(line) - 1))]
    assert decode(cut) is None
    place = draw.draw(st.integers(0, len(line) - 1))
    altered = bytearray(line)
    altered[place] ^= draw.draw(st.integers(1, 255))
    assert decode(bytes(altered)) is None


@given(st.lists(st.dictionaries(texts, texts, max_size=3), max_size=6), st.data())
@settings(deadline=None, max_examples=40)
def test_a_journal_cut_anywhere_keeps_every_whole_row_and_goes_on(tmp_path_factory, written, draw):
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    journal = Journal.start(path, 3)
    ends = [journal.size]
    for row in written:
        journal.append(row)
        ends.append(journal.size)
    journal.close()
    length = draw.draw(st.integers(0, path.stat().st_size))
    os.truncate(path, length)
    whole = sum(end <= length for end in ends[1:])
    resumed, damaged = Journal.resume(path, 9, path.parent / "damaged")
    assert damaged == (length not in (0, *ends))
    if length < ends[0]:
        assert resumed is None
        return
    assert (resumed.rows, resumed.header) == (whole, journal.header)
    resumed.append({"new": "row"})
    resumed.close()
    assert rows(path) == [*written[:whole], {"new": "row"}]
    assert not walk(path).bad


def test_a_write_that_stops_half_way_leaves_no_trace(tmp_path, monkeypatch):
    journal = Journal.start(tmp_path / "journal.jsonl", 1)
    journal.append({"row": 1})
    real = os.write
    for failure in (OSError(errno.ENOSPC, "full"), KeyboardInterrupt()):
        calls = []

        def half(handle, data, failure=failure, calls=calls):
            if calls:
                raise failure
            calls.append(handle)
            return real(handle, data[: len(data) // 2])

        monkeypatch.setattr(os, "write", half)
        with pytest.raises((StoreError, KeyboardInterrupt)) as caught:
            journal.append({"row": "x" * 1000})
        assert isinstance(caught.value, KeyboardInterrupt) or "No space left on device" in str(caught.value)
        assert (tmp_path / "journal.jsonl").stat().st_size == journal.size
    monkeypatch.setattr(os, "write", real)
    journal.append({"row": 2})
    journal.close()
    assert rows(tmp_path / "journal.jsonl") == [{"row": 1}, {"row": 2}]
    assert not walk(tmp_path / "journal.jsonl").bad


def test_rows_reach_the_operating_system_at_once_and_the_disk_once_in_a_while(tmp_path, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(handle), real(handle)))
    journal = Journal.start(tmp_path / "journal.jsonl", 1)
    synced.clear()
    clock = iter([0.0, 0.5, 1.1, 1.1, 1.9, 2.2, 2.2])
    journal._synced = 0.0
    monkeypatch.setattr("handan.traces.journal.time.monotonic", lambda: next(clock))
    counts = []
    for number in range(5):
        journal.append({"row": number})
        assert len(rows(tmp_path / "journal.jsonl")) == number + 1
        counts.append(len(synced))
    assert counts == [0, 0, 1, 1, 2]
    journal.close()


def test_no_journal_has_no_rows(tmp_path):
    assert list(batches(tmp_path / "absent")) == []
    assert Journal.resume(tmp_path / "absent", 1, tmp_path / "damaged") == (None, 0)
    assert list(tmp_path.iterdir()) == []
