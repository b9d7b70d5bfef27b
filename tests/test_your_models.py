"""The page "Your own GPU", run as a program: small, on the tiny family."""

import re
from dataclasses import replace

import pytest

from handan import machine, machine_find, profiles

pytest.importorskip("transformers")


@pytest.fixture
def run(root, capsys):
    """Run the page with other parameters and return what it shows."""

    def running(**parameters):
        text = (root / "notebooks/your_models.py").read_text(encoding="utf-8")
        for name, value in parameters.items():
            text, changed = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value!r}", text, count=1)
            assert changed, f"the page has no parameter {name}"
        exec(compile(text, "your_models.py", "exec"), {"__name__": "page"})
        return capsys.readouterr().out

    return running


def test_the_page_makes_traces_and_goes_on_with_them(run, tmp_path):
    small = {
        "profile": "quick",
        "limit": 24,
        "samples": 1,
        "tasks": "binary-addition",
        "out": str(tmp_path / "mine"),
    }
    first = run(**small)
    assert "teacher-carry-s0 wrote 0 answers; 24 of 24 were there" in first
    assert "In your run (own teacher, 1 pair, 24 items)" in first
    assert "In your run (true base, 1 pair, 24 items)" in first
    assert re.search(r"functional alignment collapse (is|can be)", first)
    assert re.search(r"negative transfer (is|can be)", first)
    assert "of the package instead" not in first
    # A second visit finds all answers, and asks for new ones only where more is wanted.
    second = run(**(small | {"samples": 2, "models": "base-carry-s0"}))
    assert re.search(r"base-carry-s0\s+48\s+24\s+24\s+0", second)
    assert "cannot be told: no teacher and student were asked together" in second
    assert "cannot be told: no student was asked with its base" in second


def test_where_nothing_fits_the_page_says_so_and_goes_on_with_the_tiny_family(run, monkeypatch):
    # The machine of the profile t4 with the sizes of quick.
    real = profiles.profile
    monkeypatch.setattr(
        profiles, "profile", lambda name: replace(real("quick"), name=name, hardware=real(name).hardware)
    )
    monkeypatch.setattr(machine_find, "memory", lambda root: 16e9)
    monkeypatch.setattr(machine_find, "graphics", lambda: {"gpus": 0, "dtype": "float32", "reason": "none"})
    told = run(profile="t4", models="QwQ-32B", limit=24, samples=1, tasks="binary-addition")
    assert "The profile t4 plans for GPUs that are not here: 1 × 16 GB." in told
    assert re.search(r"QwQ-32B is not asked:\*\* it needs [\d.]+ GB of memory .* has 16.0 GB", told)
    assert "asks the tiny family of the package instead" in told
    assert "says nothing about QwQ-32B" in told
    assert re.search(r"QwQ-32B .* not asked", told)
    assert "teacher-carry-s0 wrote 0 answers; 24 of 24 were there" in told
    assert "In your run (own teacher, 1 pair, 24 items)" in told


def test_the_page_mounts_drive_where_it_is_told_to(run, monkeypatch):
    asked = []

    def keep(folder, *, mount):
        asked.append((folder, mount))
        raise OSError("Drive was asked for")

    monkeypatch.setattr(machine, "keep", keep)
    with pytest.raises(OSError, match="Drive was asked for"):
        run(profile="quick", limit=2, drive=True)
    assert asked == [("", True)]
