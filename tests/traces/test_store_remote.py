"""The same store at an fsspec location."""

import uuid

import pytest
from tests.traces.worker_rows import answer, fill, keys, request

from handan.traces.errors import StoreError
from handan.traces.store import Store
from handan.traces.store_files import LocalFiles, files_at, without_login

pytest.importorskip("pyarrow")
fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def place():
    """A folder on a file system in memory."""
    name = f"memory://{uuid.uuid4().hex}/traces"
    yield name
    fsspec.filesystem("memory").store.clear()


def files(place: str) -> list[str]:
    fs = fsspec.filesystem("memory")
    root = place.removeprefix("memory:/")
    return sorted(path.removeprefix(f"{root}/") for path in fs.find(root))


def test_rows_are_put_as_whole_parts(place):
    with Store.open(place, part_rows=4) as store:
        run = store.add_run({"requests": keys(12)})
        fill(store, 0, 6)
        assert [name[:11] for name in files(place)] == ["manifest.js", "parts/part-", f"runs/{run}"[:11]]
        assert store.done(keys(20)) == set(keys(6))
    with Store.open(place) as store:
        assert store.done(keys(20)) == set(keys(6))
        fill(store, 6, 7)
        assert store.compact().parts_after == 1
        assert (store.runs()[0]["requests"], store.runs()[0]["settled"]) == (12, 7)
    with Store.open(place, writable=False) as store:
        assert len(store.read()) == 7
        assert store.why(request(3, dtype="int8").parts())["part"].tolist() == ["dtype"]
        assert store.status()["rows"].tolist() == [7]
    assert sum(name.startswith("parts/") for name in files(place)) == 1
    assert not any(name.endswith((".tmp", ".jsonl")) for name in files(place))


def test_a_part_is_put_when_it_is_old_enough(place, monkeypatch):
    with Store.open(place, part_seconds=60) as store:
        fill(store, 0, 2)
        assert len(files(place)) == 1
        monkeypatch.setattr(store._journal, "opened", store._journal.opened - 61)
        fill(store, 2, 3)
        assert len(files(place)) == 2


def test_what_a_crash_left_unlisted_or_torn_is_mended(place):
    with Store.open(place, part_rows=2) as store:
        fill(store, 0, 6)
    fs = fsspec.filesystem("memory")
    root = place.removeprefix("memory:/")
    torn = next(name for name in files(place) if name.startswith("parts/part-000002"))
    fs.pipe_file(f"{root}/{torn}", fs.cat_file(f"{root}/{torn}")[:-50])
    fs.rm_file(f"{root}/manifest.json")
    with pytest.warns(RuntimeWarning, match="part-000002"):
        store = Store.open(place)
    with store:
        assert store.done(keys(6)) == set(keys(2) + keys(6)[4:])
        fill(store, 2, 4)
    assert sum(name.startswith("damaged/") for name in files(place)) == 1
    with Store.open(place) as store:
        assert store.notes == []
        assert store.done(keys(6)) == set(keys(6))


def test_a_connection_that_breaks_keeps_the_rows_for_the_next_try(place, monkeypatch):
    with Store.open(place, part_rows=3) as store:
        fill(store, 0, 2)

        def broken(*arguments, **options):
            raise ConnectionError("https://bucket?signature=secret refused")

        with monkeypatch.context() as patch:
            patch.setattr(store.files.fs, "put_file", broken)
            with pytest.raises(
                StoreError, match=r"can't put .*ConnectionError\); check the connection"
            ) as caught:
                store.add(answer(request(2)))
            assert "secret" not in str(caught.value)
            assert store.done(keys(4)) == set(keys(3))
        fill(store, 3, 4)
        monkeypatch.setattr(store.files.fs, "cat_file", broken)
        with pytest.raises(StoreError, match=r"can't read .*manifest.json \(ConnectionError\)"):
            Store.open(place, writable=False)
        monkeypatch.undo()
    with Store.open(place, writable=False) as store:
        assert store.done(keys(9)) == set(keys(4))


def test_a_tokenizer_comes_back_as_a_file(place):
    with Store.open(place) as store:
        store.save_tokenizer(b'{"version": "1.0"}', "a" * 40)
        assert store.tokenizer("b" * 40) is None
        path = store.tokenizer("a" * 40)
        assert path.read_bytes() == b'{"version": "1.0"}'
        assert store.tokenizer("a" * 40) == path
        path.unlink()


def test_an_absent_place_and_an_absent_package_are_named(place):
    with pytest.raises(StoreError, match="holds no store"):
        Store.open(place, create=False)
    with pytest.raises(StoreError, match=r"nosuch://bucket/x has a protocol that fsspec doesn't know"):
        Store.open("nosuch://ann:secret@bucket/x")
    for protocol, package in {"s3": "s3fs", "gs": "gcsfs", "abfs": "adlfs"}.items():
        try:
            __import__(package)
        except ImportError:
            with pytest.raises(StoreError, match=f"{protocol}://bucket/x needs a package .*{package}"):
                Store.open(f"{protocol}://bucket/x")
            return
    pytest.skip("every fsspec package is installed")


def test_addresses_are_shown_without_logins(tmp_path):
    assert without_login("ftp://ann:secret@host/x?key=secret") == "ftp://host/x"
    assert isinstance(files_at(f"file://{tmp_path}"), LocalFiles)
    assert files_at(tmp_path).label == files_at(f"file://{tmp_path}").label == str(tmp_path)
    with Store.open(f"file://{tmp_path}/store") as store:
        fill(store, 0, 2)
    assert (tmp_path / "store" / "manifest.json").exists()
