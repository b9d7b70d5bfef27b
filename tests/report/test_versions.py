import hashlib
import platform

from handan.report.versions import fingerprints, own_files, versions


def test_a_file_is_named_without_its_folder_and_hashed(tmp_path):
    path = tmp_path / "secret folder" / "costs.csv"
    path.parent.mkdir()
    path.write_bytes(b"model,task\n")
    row = fingerprints([("costs", path)]).iloc[0]
    assert row["sha256"] == hashlib.sha256(b"model,task\n").hexdigest()
    assert (row["what"], row["file"], row["bytes"]) == ("costs", "costs.csv", 11)


def test_packaged_tables_stand_in_for_those_that_were_not_given(tmp_path):
    own = tmp_path / "c.csv"
    named = dict(own_files(own, None, None, None))
    assert named["costs"] == own
    assert {path.name for path in named.values()} == {
        "c.csv",
        "bank.csv",
        "bank-reliability.csv",
        "lineage.csv",
    }
    assert "norms" in dict(own_files(own, tmp_path / "n.csv", None, None))


def test_the_software_that_computes_is_named():
    found = versions()
    assert found["python"] == platform.python_version()
    assert {"handan", "numpy", "pandas", "scipy", "statsmodels", "seaborn"} <= set(found)
