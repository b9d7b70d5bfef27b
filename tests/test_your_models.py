"""The page "Your own GPU", run as a program: small, on the tiny family."""

import re

import pytest

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
    # A second visit finds all answers, and asks for new ones only where more is wanted.
    second = run(**(small | {"samples": 2, "models": "base-carry-s0"}))
    assert re.search(r"base-carry-s0\s+48\s+24\s+24\s+0", second)
    assert "cannot be told: no teacher and student were asked together" in second
    assert "cannot be told: no student was asked with its base" in second
