import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from handan.traces import provenance as module
from handan.traces.provenance import provenance, without_secrets


def test_it_tells_versions_and_machine_as_json():
    told = json.loads(json.dumps(provenance()))
    assert told["packages"]["numpy"] == version("numpy")
    assert told["packages"]["handan"] == version("handan")
    assert told["python"] == platform.python_version()
    assert told["device"]["cores"] == os.cpu_count()
    assert told["device"]["cpu"]
    assert told["started"].endswith("+00:00")


def test_it_names_neither_host_nor_user_nor_environment(monkeypatch):
    monkeypatch.setattr(platform, "node", lambda: "anns-laptop")
    monkeypatch.setenv("USER", "ann-the-user")
    monkeypatch.setenv("SOME_SETTING", "value-of-a-setting")
    text = json.dumps(provenance())
    for word in ("anns-laptop", "ann-the-user", "value-of-a-setting", str(Path.home())):
        assert word not in text
    first = provenance()["host"]
    assert first == provenance()["host"]
    monkeypatch.setattr(platform, "node", lambda: "bobs-laptop")
    assert first != provenance()["host"]


def test_packages_that_are_not_installed_are_left_out(monkeypatch):
    monkeypatch.setattr(module, "PACKAGES", ("numpy", "no-such-package-at-all"))
    assert provenance()["packages"] == {"numpy": version("numpy")}


def test_no_heavy_package_is_imported():
    script = (
        "import sys; from handan.traces.provenance import provenance; before = set(sys.modules); provenance();"
        "print([name for name in ('torch', 'transformers', 'ray') if name in sys.modules and name not in before])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository that handan seems to be imported from."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    source = tmp_path / "src" / "handan" / "traces"
    source.mkdir(parents=True)
    for name in ("provenance.py", "errors.py"):
        (source / name).write_text("x = 1\n")
    monkeypatch.setattr(module, "__file__", str(source / "provenance.py"))

    def git(*words: str) -> str:
        own = ["-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(tmp_path), *own, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    return source, git


def test_a_checkout_gives_its_commit_and_whether_it_was_changed(checkout):
    source, git = checkout
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    assert provenance()["git"] == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    (source / "errors.py").write_text("x = 2\n")
    assert provenance()["git"] == {"commit": git("rev-parse", "HEAD"), "dirty": True}


def test_the_repository_around_an_installed_copy_is_not_taken_for_its_own(checkout):
    _, git = checkout
    git("commit", "-q", "--allow-empty", "-m", "another project")
    assert provenance()["git"] == {}


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance()["git"] == {}


def test_graphics_cards_are_listed_where_there_are_any(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'Tesla T4, 15360 MiB, 550.54'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert provenance()["device"]["gpus"] == ["Tesla T4, 15360 MiB, 550.54"]
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert provenance()["device"]["gpus"] == []


@pytest.mark.parametrize(
    "name",
    ["api_key", "API-KEY", "openai_api_key", "hf_token", "token", "auth-token", "password", "Authorization"],
)
def test_values_named_like_secrets_are_hidden_at_any_depth(name):
    assert without_secrets({"a": [{"b": {name: "abc"}}]}) == {"a": [{"b": {name: "(hidden)"}}]}


@pytest.mark.parametrize(
    "name",
    [
        "prompt_tokens",
        "max_new_tokens",
        "think_open_token_id",
        "tokenizer",
        "key_columns",
        "author",
        "token_ids",
    ],
)
def test_ordinary_settings_are_kept(name):
    assert without_secrets({name: "abc", "n": 3, "none": None}) == {name: "abc", "n": 3, "none": None}


def test_texts_that_look_like_secrets_are_hidden(monkeypatch):
    monkeypatch.setenv("MY_SERVICE_TOKEN", "tr0ub4dor&3")
    found = without_secrets(
        [
            "--key=sk-proj-abcdefghijkl1234",
            "hf_abcdefghijklmnop",
            "https://ann:pw@host/v1",
            "say tr0ub4dor&3 now",
        ]
    )
    assert found == ["--key=(hidden)", "(hidden)", "https://(hidden)host/v1", "say (hidden) now"]
