"""Three tables made on purpose: small ones that are plain, and ones that try to break a report."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SCRIPT = '<script>window.hit=1</script>"><img src=x onerror="window.hit=1">'
FORMULA = "=cmd|' /C calc'!A0 $\\alpha$ and $\\frac{1}$ \\frac{1}{2}"
CONTROL = "two\nlines \u202edlrow \x1b[31m \x07"
LONG = "x" * 5000
NAMES = {"teacher": SCRIPT, "student": FORMULA, "base": CONTROL}


@dataclass(frozen=True)
class Study:
    costs: pd.DataFrame
    norms: pd.DataFrame
    lineage: pd.DataFrame

    def write(self, folder: Path) -> list[str]:
        """Write the tables and give the arguments of the command."""
        for name in ("costs", "norms", "lineage"):
            getattr(self, name).to_csv(folder / f"{name}.csv", index=False)
        files = [folder / f"{name}.csv" for name in ("costs", "norms", "lineage")]
        return [str(files[0]), "--norms", str(files[1]), "--lineage", str(files[2]), "--jobs", "1"]


def simulated(models: dict[str, float], n_items: int = 30, task: str = "sums", seed: int = 0) -> Study:
    """Models whose log cost follows the log time of people with these weights."""
    rng = np.random.default_rng(seed)
    human = rng.normal(1, 0.4, n_items)
    items = [f"i{k}" for k in range(n_items)]
    rows = [
        (model, task, item, round(np.exp(5 + weight * time + rng.normal(0, 0.25))))
        for model, weight in models.items()
        for item, time in zip(items, human, strict=True)
    ]
    costs = pd.DataFrame(rows, columns=["model", "task", "item", "reasoning_tokens"])
    lineage = pd.DataFrame(
        [
            ("big", "teacher", None, None),
            ("small", "student", "big", "base"),
            ("base", "baseline", None, None),
        ],
        columns=["model", "role", "teacher", "base"],
    )
    norms = pd.DataFrame({"task": task, "item": items, "log_rt": human})
    return Study(costs, norms, lineage)


@pytest.fixture
def plain() -> Study:
    return simulated({"big": 1.0, "small": 0.2, "base": 0.7})


def hostile_study() -> Study:
    """Everything at once: names that are code, a task of two items, constant and zero costs, failures."""
    tasks = {'<svg onload="window.hit=1">': 30, "two items": 2, "通义 $a$": 24}
    weights = {SCRIPT: 1.0, FORMULA: 0.3, CONTROL: 0.7, LONG: 0.5, "constant": 0.0}
    parts = [simulated(weights, n, task, seed) for seed, (task, n) in enumerate(tasks.items())]
    norms = pd.concat([part.norms for part in parts], ignore_index=True)
    once = pd.concat([part.costs for part in parts], ignore_index=True)
    once.loc[once["model"] == "constant", "reasoning_tokens"] = 50
    costs = pd.concat([once.assign(sample=k, stop="stop") for k in range(2)], ignore_index=True)
    few = once[once["model"] == "constant"]
    costs = pd.concat(
        [costs, few.assign(model="nothing", reasoning_tokens=0), few.assign(model="<b>failed", stop="error")],
        ignore_index=True,
    )
    costs["study"] = np.where(costs["model"] == LONG, "second & study", "first <i>study")
    for table in (norms, costs):
        table["item"] += "<img src=x onerror=window.hit=1>"
    lineage = pd.DataFrame(
        [
            *((SCRIPT, "teacher", None, None), (FORMULA, "student", SCRIPT, CONTROL)),
            *((CONTROL, "baseline", None, None), ("constant", "student", SCRIPT, None)),
            ("nobody measured this", "teacher", None, None),
        ],
        columns=["model", "role", "teacher", "base"],
    )
    return Study(costs, norms, lineage)


@dataclass(frozen=True)
class Made:
    """What the real command left behind."""

    page: Path
    html: str
    json: dict
    messages: str


@pytest.fixture(scope="session")
def hostile(tmp_path_factory) -> Made:
    """The report on hostile tables, made once by the installed command."""
    folder = tmp_path_factory.mktemp("hostile")
    arguments = hostile_study().write(folder)
    reliability = pd.DataFrame({"task": ["two items", "通义 $a$"], "reliability": [np.nan, -0.2]})
    reliability.to_csv(folder / "reliability.csv", index=False)
    page = folder / "page.html"
    arguments += ["--reliability", str(folder / "reliability.csv"), "--out", str(page), "--n-boot", "100"]
    words = [sys.executable, "-m", "handan.cli", "report", *arguments, "--title", "<h1>& title</h1>"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = page.with_suffix(".json").read_text(encoding="utf-8")
    told = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    return Made(page, page.read_text(encoding="utf-8"), told, done.stderr)


class Reader(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text += data

    def values(self, attribute: str, tag: str | None = None) -> list[str]:
        return [value for where, name, value in self.attributes if name == attribute and tag in (None, where)]


@pytest.fixture
def read():
    return Reader
