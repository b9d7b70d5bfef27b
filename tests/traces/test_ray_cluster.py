import pytest

from handan.traces.errors import EngineError
from handan.traces.ray_cluster import connect, last_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one line", "one line"),
        ("", "ValueError"),
        ("first\n\n  last  \n", "last"),
        (
            "ray::Map() (pid=1)\nTraceback (most recent call last):\n  File x\nRuntimeError: what it was\n\n"
            "The above exception was the direct cause\n\nray.exceptions.UserCodeException: UDF failed.\nA hint.",
            "RuntimeError: what it was",
        ),
        ("The actor died: \nhandan.traces.errors.ModelError: no config.json\n", "handan.traces.errors.ModelError: no config.json"),
    ],
)  # fmt: skip
def test_the_line_that_says_what_was_wrong_is_found(text, expected):
    assert last_line(ValueError(text)) == expected


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(EngineError, match=r"pip install 'handan\[scale\]'"):
        connect(None, 2)
