import subprocess
import tomllib
from email import message_from_string
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handan import address

NAMES = st.text("abcdefghij0123456789_", min_size=1, max_size=20)


def test_the_address_is_that_of_pyproject(root):
    urls = tomllib.loads((root / "pyproject.toml").read_text())["project"]["urls"]
    assert address.repository() == urls["Repository"].rstrip("/")


def test_it_stands_nowhere_else_in_the_code(root):
    """Text for people may name it (a test of the repository compares those); code derives it."""
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    code = [name for name in tracked.stdout.splitlines() if name.endswith((".py", ".js", ".toml", ".yml"))]
    holders = [name for name in code if address.slug() in (root / name).read_text(errors="replace")]
    assert holders == ["pyproject.toml"]


@given(NAMES)
def test_every_launcher_opens_that_file_on_the_branch_that_is_published(name):
    path = address.student(name)
    assert unquote(urlsplit(address.colab(path)).path) == f"/github/{address.slug()}/blob/main/{path}"
    assert unquote(address.binder(path)).endswith(f"/{address.slug()}/main?urlpath=lab/tree/{path}")
    assert address.kaggle(path).endswith(address.source(path))
    assert address.source(path, 7) == f"{address.repository()}/blob/main/{path}#L7"


def test_students_and_teachers_have_different_copies():
    assert address.student("x") != address.instructor("x")


def test_the_book_is_where_the_repository_publishes_it():
    owner, name = address.slug().split("/")
    assert address.book() == f"https://{owner.lower()}.github.io/{name}/"
    assert address.book("notebooks/a b").endswith(f"{name}/notebooks/a%20b.html")


def test_pip_takes_an_extra():
    assert address.install() == f"handan @ git+{address.repository()}@main"
    assert address.install("traces").startswith("handan[traces] @ ")


def test_metadata_without_an_address_says_what_to_do(monkeypatch):
    monkeypatch.setattr(address, "metadata", lambda name: message_from_string("Name: handan\n"))
    address.repository.cache_clear()
    with pytest.raises(LookupError, match=r"pyproject\.toml names no Repository"):
        address.repository()
    address.repository.cache_clear()
