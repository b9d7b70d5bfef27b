import json
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def logs(root) -> Path:
    return root / "tests/data/logs"


@pytest.fixture(scope="session")
def letters(tmp_path_factory) -> Path:
    """A tokenizer to which every character is one token, so that counts can be checked by len()."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"?": 0, "a": 1}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.enable_truncation(4)  # a file may ask for this; counts must not obey
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture
def write(tmp_path):
    """Write objects as JSON lines and give the path."""

    def writing(rows, name="log.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    return writing
