"""Files that a disk, a person or a power cut has spoilt."""

import json
import shutil

import pytest
from tests.traces.worker_rows import answer, fill, keys, request

from handan.traces.errors import StoreError
from handan.traces.parts import part_provenance
from handan.traces.store import Store

pytest.importorskip("pyarrow")


@pytest.fixture
def folder(tmp_path):
    """Parts of rows 0-3, 4-7 and 8-11, and a journal of rows 12 and 13."""
    with Store.open(tmp_path / "closed", part_rows=4) as store:
        store.add_run({"requests": keys(14)})
        fill(store, 0, 14)
        shutil.copytree(tmp_path / "closed", tmp_path / "store")
    return tmp_path / "store"


def part(folder, place):
    return sorted((folder / "parts").iterdir())[place]


def settled(folder, **options) -> set[int]:
    with Store.open(folder, **options) as store:
        return {number for number in range(20) if request(number).key in store.done(keys(20))}


def spoil_cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def spoil_empty(path):
    path.write_bytes(b"")


def spoil_footer(path):
    path.write_bytes(path.read_bytes()[:-8] + b"\0" * 8)


def spoil_byte(path):
    """Flip a bit of a page: size and footer stay as they are."""
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("spoil", [spoil_cut, spoil_empty, spoil_footer, spoil_byte])
def test_a_spoilt_part_is_put_aside_and_only_its_rows_are_done_again(folder, spoil):
    path = part(folder, 1)
    spoil(path)
    with pytest.warns(RuntimeWarning, match=rf"{path.name}: .*its 4 rows count as not done"):
        assert settled(folder, writable=False) == {*range(4), *range(8, 14)}
    assert path.exists(), "a reader moves nothing"
    with pytest.warns(RuntimeWarning, match=path.name):
        assert settled(folder) == {*range(4), *range(8, 14)}
    assert not path.exists()
    assert [found.name.endswith(path.name) for found in (folder / "damaged").iterdir()] == [True]
    with Store.open(folder) as store:
        assert store.notes == []
        fill(store, 4, 8)
    assert settled(folder) == set(range(14))


def test_compacting_finds_damage_in_columns_that_nobody_read(folder):
    path = part(folder, 0)
    data = bytearray(path.read_bytes())
    place = data.index(b"PAR1", 4) - 3000  # in the footer's statistics or the last columns
    data[place] ^= 1
    path.write_bytes(data)
    with Store.open(folder) as store:
        with pytest.warns(RuntimeWarning, match=f"{path.name}: damaged; its 4 rows"):
            report = store.compact()
        assert report.rows == 10
        assert store.done(keys(14)) == set(keys(14)[4:])


def test_a_missing_part_is_reported_once(folder):
    part(folder, 2).unlink()
    with pytest.warns(RuntimeWarning, match="missing; its 4 rows"):
        assert settled(folder) == {*range(8), 12, 13}
    with Store.open(folder) as store:
        assert store.notes == []


def test_a_part_that_vanishes_under_a_writer_is_dropped(folder):
    with Store.open(folder) as store:
        part(folder, 0).unlink()
        with pytest.warns(RuntimeWarning, match="its 4 rows count as not done"):
            assert len(store.read()) == 10
        assert len(store.read()) == 10


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": "one"}', "\0" * 300])
def test_a_torn_manifest_is_rebuilt_from_the_parts(folder, text):
    before = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(text)
    with pytest.warns(RuntimeWarning, match=r"manifest.json is damaged .*; it is rebuilt from the parts"):
        assert settled(folder) == set(range(14))
    after = json.loads((folder / "manifest.json").read_text())
    assert after["parts"][:3] == before["parts"]
    assert after["runs"] == before["runs"]
    assert [path.name.split("-", 1)[1] for path in (folder / "damaged").iterdir()] == ["manifest.json"]
    assert (next((folder / "damaged").iterdir())).read_text() == text
    assert settled(folder) == set(range(14))


def test_a_manifest_can_not_point_outside_the_store(folder):
    (folder.parent / "precious.parquet").write_text("mine")
    data = json.loads((folder / "manifest.json").read_text())
    data["superseded"] = ["../../precious.parquet"]
    (folder / "manifest.json").write_text(json.dumps(data))
    with pytest.warns(RuntimeWarning, match="not the name of a part file"):
        assert settled(folder) == set(range(14))
    assert (folder.parent / "precious.parquet").read_text() == "mine"


def test_a_lost_manifest_is_rebuilt_too(folder):
    (folder / "manifest.json").unlink()
    assert settled(folder, writable=False) == set(range(14))
    assert settled(folder) == set(range(14))


def test_a_newer_format_is_refused_and_left_alone(folder):
    data = json.loads((folder / "manifest.json").read_text()) | {"format": 2}
    (folder / "manifest.json").write_text(json.dumps(data))
    for writable in (True, False):
        with pytest.raises(
            StoreError, match=r"newer version of handan \(format 2, this one knows 1\); upgrade"
        ):
            Store.open(folder, writable=writable)
    assert json.loads((folder / "manifest.json").read_text()) == data
    Store.open(folder.parent / "closed").close()  # the lock of the refused one is free


def test_parts_copied_from_another_store_are_taken_in(folder, tmp_path):
    with Store.open(tmp_path / "other", part_rows=3) as other:
        fill(other, 14, 20)
    for path in (tmp_path / "other" / "parts").iterdir():
        shutil.copy(path, folder / "parts")
    assert settled(folder, writable=False) == set(range(20))
    with Store.open(folder) as store:
        assert [note.split(": ")[1] for note in store.notes] == [
            "not in the manifest; its 3 rows are taken in"
        ] * 2
        assert store.done(keys(20)) == set(keys(20)), "the journal counts although a part has its number"
    assert settled(folder) == set(range(20))


def test_strangers_in_the_folder_are_left_alone(folder):
    (folder / "parts" / "notes.txt").write_text("mine")
    (folder / "parts" / "mine.parquet").write_text("mine")
    with Store.open(folder) as store:
        assert store.notes == []
        store.compact()
    assert (folder / "parts" / "mine.parquet").read_text() == "mine"


def test_another_table_under_the_name_of_a_part_is_put_aside(folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"key": ["x"]}), folder / "parts" / "part-000009-abcdef01.parquet")
    with pytest.warns(RuntimeWarning, match="its columns are not those of a store"):
        assert settled(folder) == set(range(14))


def test_leftovers_of_a_kill_are_removed(folder):
    for name in ("parts/.part-000004-abcdef01.parquet.tmp", ".manifest.json.tmp", "runs/.x.parquet.tmp"):
        (folder / name).write_text("half")
    assert settled(folder, writable=False) == set(range(14))
    assert settled(folder) == set(range(14))
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.parametrize("lost", [1, 40, 200])
def test_a_torn_journal_loses_its_last_row_and_no_other(folder, lost):
    journal = folder / "journal.jsonl"
    tail = journal.read_bytes().splitlines(keepends=True)[-1]
    journal.write_bytes(journal.read_bytes()[:-lost])
    assert settled(folder, writable=False) == set(range(13))
    with Store.open(folder) as store:
        assert len(store.notes) == 1
        assert "1 unfinished line(s) left out and copied to damaged/" in store.notes[0]
        store.add(answer(request(13)))
    assert settled(folder) == set(range(14))
    [copy] = (folder / "damaged").iterdir()
    assert copy.read_bytes() == tail[:-lost]


def test_a_spoilt_line_in_the_middle_of_the_journal_costs_one_row(folder):
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"two", b"too")
    (folder / "journal.jsonl").write_bytes(b"".join(lines))
    assert settled(folder, writable=False) == {*range(12), 13}
    assert settled(folder) == {*range(12), 13}


@pytest.mark.parametrize("head", [b"", b"{}\n", b"\0\0\0\n"])
def test_a_journal_whose_head_is_spoilt_keeps_its_rows(folder, head):
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "journal.jsonl").write_bytes(b"".join([head, *lines[1:]]))
    assert settled(folder, writable=False) == set(range(14))
    assert settled(folder) == set(range(14))
    assert settled(folder) == set(range(14))


def test_a_journal_of_a_newer_version_is_refused(folder):
    from handan.traces.store_lines import encode

    (folder / "journal.jsonl").write_bytes(encode({"journal": 9, "id": "abcdef01", "format": 2}))
    with pytest.raises(StoreError, match=r"journal\.jsonl was written by a newer version of handan; upgrade"):
        Store.open(folder)


def test_provenance_of_what_is_no_part_is_refused(folder):
    spoil_cut(part(folder, 0))
    for path in (part(folder, 0), folder / "absent.parquet", folder / "manifest.json"):
        with pytest.raises(StoreError, match=f"{path.name} can't be read as a part file"):
            part_provenance(path)
