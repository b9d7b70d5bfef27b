"""What the folders of tiny and of other trained models have in common."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write settings or a record so that people can read it.

    Raises
    ------
    ValueError
        When a number is NaN or infinite, which JSON doesn't have.
    """
    path.write_text(
        json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def first_difference(found: Any, wanted: Any, name: str = "") -> str:
    """Name the first setting in which what is there differs from what is wanted here."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in sorted({*found, *wanted}):
            if found.get(key) != wanted.get(key):
                return first_difference(found.get(key), wanted.get(key), f"{name} {key}".strip())
    return f"{name.replace('_', ' ') or 'it'} is {found!r} there and {wanted!r} here"


def name_tokenizer_class(folder: Path) -> None:
    """Name the class as every version of transformers knows it; version 5 writes its own inner name."""
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    if settings.get("tokenizer_class") == "TokenizersBackend":
        write_json(path, settings | {"tokenizer_class": "PreTrainedTokenizerFast"})
