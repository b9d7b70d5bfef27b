"""One writer, any number of readers."""

import os
import platform
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.traces.worker_rows import answer, fill, keys, request

from handan.traces.errors import StoreError
from handan.traces.store import Store

pytest.importorskip("pyarrow")
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def holder(tmp_path):
    """Another process that writes to the store."""
    command = [sys.executable, str(Path(__file__).parent / "worker_holder.py"), str(tmp_path / "store")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_second_writer_is_told_who_the_first_is(tmp_path, holder):
    who = rf"is being written by process {holder.pid} on {platform.node()} since \d{{4}}-.* UTC"
    with pytest.raises(StoreError, match=who):
        Store.open(tmp_path / "store")
    with Store.open(tmp_path / "store", writable=False) as reader:
        assert reader.read().empty
    holder.communicate("")
    with Store.open(tmp_path / "store") as store:
        fill(store, 0, 1)


def test_a_killed_writer_leaves_no_lock(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with Store.open(tmp_path / "store") as store:
        fill(store, 0, 1)


def test_two_writers_in_one_program_are_told_apart_too(tmp_path):
    with Store.open(tmp_path / "store"):
        with pytest.raises(StoreError, match=f"process {os.getpid()}"):
            Store.open(tmp_path / "store")
        with pytest.raises(StoreError, match=f"process {os.getpid()}"):  # the first refusal freed nothing
            Store.open(tmp_path / "store")
    Store.open(tmp_path / "store").close()
    assert not (tmp_path / "store" / ".lock-holder.json").exists()


def test_a_reader_sees_rows_as_they_are_added_and_leaves_no_trace(tmp_path):
    with Store.open(tmp_path / "store", part_rows=3) as store:
        reader = Store.open(tmp_path / "store", writable=False)
        for count in range(1, 9):
            fill(store, count - 1, count)
            before = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*")}
            assert reader.done(keys(9)) == set(keys(count))
            assert len(reader.read()) == count
            assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*")}
        store.compact()
        assert len(reader.read()) == 8
        reader.close()


def test_readers_see_every_row_while_parts_are_made_and_merged(tmp_path):
    """Counts may only rise, and no answer may turn back into its failure."""
    store = Store.open(tmp_path / "store", part_rows=3)
    store.add(answer(request(1000), "busy", stop="error"))
    store.add(answer(request(1000), attempt=2))
    finished, faults, looks = threading.Event(), [], []

    def look() -> None:
        least = 1
        while not finished.is_set():
            with Store.open(tmp_path / "store", writable=False) as reader:
                for _ in range(3):
                    rows = reader.read(["key", "stop"])
                    looks.append(len(rows))
                    if len(rows) < least or rows["key"].duplicated().any() or (rows["stop"] == "error").any():
                        faults.append((least, rows))
                    least = len(rows)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(90):
        fill(store, number, number + 1)
        if number % 10 == 9:
            store.compact()
    store.close()
    finished.set()
    for reader in readers:
        reader.join()
    assert not faults
    assert len(set(looks)) > 5, "the readers saw too little of the writing: the test shows nothing"
    with Store.open(tmp_path / "store", writable=False) as reader:
        assert len(reader.read()) == 91


def test_a_reader_whose_parts_are_merged_away_looks_again(tmp_path, monkeypatch):
    from handan.traces import parts

    with Store.open(tmp_path / "store", part_rows=2) as store:
        fill(store, 0, 6)
        reader = Store.open(tmp_path / "store", writable=False)
        real, merged = parts.read_part, []

        def read_part(*arguments):
            if not merged:  # between looking at the manifest and opening the first part
                merged.append(store.files)
                monkeypatch.setattr(parts, "read_part", real)
                store.compact()
            return real(*arguments)

        monkeypatch.setattr(parts, "read_part", read_part)
        assert reader.done(keys(9)) == set(keys(6))
        assert merged
        assert reader.notes == []
