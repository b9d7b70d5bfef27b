"""Whatever ends the program, the rows that were added are there, once."""

import collections
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.traces.worker_rows import ROOT, answer, fill, keys, request

from handan.traces.errors import StoreError
from handan.traces.store import Store

pytest.importorskip("pyarrow")
pytestmark = pytest.mark.filterwarnings("error")  # nothing may be reported as damaged
WORKERS = Path(__file__).parent


def work(name: str, *arguments: object) -> dict:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, str(WORKERS / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_thirty_kills_lose_nothing_and_repeat_at_most_a_batch_each(tmp_path):
    told = work("worker_kill.py", tmp_path / "store", tmp_path / "log", 7, 30)
    assert told["kills"] == 30
    with Store.open(tmp_path / "store", writable=False) as store:
        rows = store.read()
        stored = sum(part.rows for part in store._current().parts)
    assert sorted(rows["key"]) == sorted(told["keys"])
    assert stored == 500
    generated = (tmp_path / "log").read_text().split()
    assert 500 <= len(generated) <= 500 + told["kills"] * told["batch"]
    assert len(generated) > 500, "no kill hit a batch in flight: the test shows nothing"


@pytest.mark.parametrize("part_rows", [1000, 3])
def test_a_limit_on_file_sizes_stops_adding_and_loses_nothing(tmp_path, part_rows):
    told = work("worker_full.py", tmp_path / "store", 8_000, part_rows)
    assert told["added"] >= 3
    for refusal in told["refusals"]:
        assert str(tmp_path / "store") in refusal
        assert "File too large" in refusal
        assert "MB are free" in refusal
    total = told["added"] + 10
    assert told["seen"] == total
    with Store.open(tmp_path / "store") as store:
        assert store.notes == []
        assert store.done(keys(total + 5)) == set(keys(total))
        assert store.read()["text"].iloc[0] == "word " * 100


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 400 kB; its size can be changed."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(size: str, *options: str) -> int:
        command = ["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *options]), "tmpfs", str(place)]
        return subprocess.run(command, capture_output=True).returncode

    if not shutil.which("mount") or mount("400k"):
        pytest.skip("a small file system can't be mounted here (needs root)")
    yield place, lambda: mount("40m", "remount")
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_stops_adding_and_the_same_store_goes_on_once_there_is_room(small_disk):
    place, enlarge = small_disk
    added = 0
    refused = pytest.raises(
        StoreError, match=r"no room to write .*No space left on device; 0\.\d MB are free"
    )
    with refused, Store.open(place / "store", part_rows=20) as store:
        while True:
            store.add(answer(request(added), os.urandom(2000).hex()))
            added += 1
    with Store.open(place / "store", writable=False) as store:
        before = store.done(keys(added + 1))
    # The last row may be in although its part could not be made: what counts is that none is lost.
    assert set(keys(added)) <= before
    with pytest.raises(StoreError, match="no room"), Store.open(place / "store", part_rows=20) as store:
        fill(store, added + 1, added + 300, text="x" * 4000)
    assert enlarge() == 0
    with Store.open(place / "store") as store:
        settled = store.done(keys(400))
        for number in range(400):
            if request(number).key not in settled:
                store.add(answer(request(number)))
        assert store.done(keys(400)) == set(keys(400))
        assert len(store.read()) == len(set(store.read()["key"]))


def snapshots(monkeypatch, folder: Path, copies: Path, act) -> list[Path]:
    """Copies of a folder as a kill would leave it before every change to the file system."""
    found = []

    def before(module, name):
        real = getattr(module, name)

        def stop_here(*arguments, **options):
            found.append(copies / f"{len(found):03d}-{name}")
            shutil.copytree(folder, found[-1])
            return real(*arguments, **options)

        monkeypatch.setattr(module, name, stop_here)

    with monkeypatch.context() as patch:
        monkeypatch = patch
        for name in ("replace", "fsync", "lseek", "ftruncate"):
            before(os, name)
        before(Path, "unlink")
        act()
    return [*found, folder]


def history(folder: Path) -> Store:
    """A store with parts, a superseded failure, a pending failure, and rows in its journal."""
    with Store.open(folder, part_rows=4) as store:
        store.add_run({"requests": keys(12)})
        fill(store, 0, 6)
        store.add(answer(request(6), "timeout", stop="error"))
        store.add(answer(request(7), "timeout", stop="error"))
    store = Store.open(folder, part_rows=4)
    store.add(answer(request(6), "three", attempt=2))
    fill(store, 8, 10)
    return store


def content(folder: Path) -> dict[str, tuple[str, str]]:
    with Store.open(folder) as store:
        rows = store.read(["key", "stop", "text"])
    return {key: (stop, text) for key, stop, text in rows.itertuples(index=False)}


@pytest.mark.parametrize("what", ["roll", "close", "compact"])
def test_a_kill_at_any_point_of_making_and_merging_parts_changes_nothing(tmp_path, monkeypatch, what):
    store = history(tmp_path / "store")
    expected = {request(number).key: ("stop", "two") for number in (*range(6), 8, 9)} | {
        request(6).key: ("stop", "three"), request(7).key: ("error", ""),
    }  # fmt: skip
    act = {"roll": lambda: store.add(answer(request(10))), "close": store.close, "compact": store.compact}[
        what
    ]
    places = snapshots(monkeypatch, tmp_path / "store", tmp_path / "copies", act)
    store.close()
    assert len(places) > 8
    seen = collections.Counter()
    for place in places:
        with Store.open(place, writable=False) as reader:
            assert len(reader.read()) == reader.read()["key"].nunique()
        found = content(place)
        new = found.pop(request(10).key, None)
        seen[new] += 1
        assert found == expected, place.name
        with Store.open(place) as again:
            again.compact()
            fill(again, 10, 12)
        assert not list(place.rglob("*.tmp"))
        assert content(place) == expected | {key: ("stop", "two") for key in keys(12)[10:]}
    if what == "roll":
        assert set(seen) == {None, ("stop", "two")}


def test_after_a_merge_was_cut_short_no_row_is_in_two_parts(tmp_path, monkeypatch):
    store = history(tmp_path / "store")
    places = snapshots(monkeypatch, tmp_path / "store", tmp_path / "copies", store.compact)
    store.close()
    for place in places:
        with Store.open(place) as store:
            listed = store._current().parts
            rows = sum(part.rows for part in listed)
            assert {path.name for path in (place / "parts").iterdir()} == {part.name for part in listed}
        assert rows in (8, 11, 10), place.name  # before the journal was rolled; before; after the merge
