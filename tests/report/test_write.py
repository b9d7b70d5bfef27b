import resource

import pytest

from handan.report.write import OutError, targets, write


@pytest.mark.parametrize(
    ("name", "words"),
    [(".", "is a folder"), ("report", "does not end in .html"), ("report.pdf", "report.pdf.html"), ("no/where.html", "there is no folder")],
)  # fmt: skip
def test_a_place_that_cannot_be_is_named_before_anything_is_computed(tmp_path, name, words):
    with pytest.raises(OutError, match=words):
        targets(tmp_path / name)


def test_a_folder_where_the_json_belongs_is_named(tmp_path):
    (tmp_path / "r.json").mkdir()
    with pytest.raises(OutError, match="JSON file of this report belongs there"):
        targets(tmp_path / "r.html")


def test_both_files_are_written_and_readable_like_others(tmp_path):
    other = tmp_path / "other"
    other.write_text("x")
    found = targets(tmp_path / "r.html")
    write(found, "<p>ü</p>", "{}")
    assert found.page.read_text(encoding="utf-8") == "<p>ü</p>"
    assert found.data.read_text() == "{}"
    assert found.page.stat().st_mode == other.stat().st_mode
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("large", ["page", "data"])
def test_without_room_for_either_the_old_files_stay(tmp_path, large):
    found = targets(tmp_path / "r.html")
    write(found, "old page", "old data")
    new = {"page": "new", "data": "new"} | {large: "x" * 100_000}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(OSError):
            write(found, **new)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (found.page.read_text(), found.data.read_text()) == ("old page", "old data")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["r.html", "r.json"]
