"""A made-up study whose names try to become markup, and a page with the explorer and nothing else of the book."""

import shutil

import numpy as np
import pandas as pd

from handan.costs import Study
from handan.tables import check_costs, check_norms, check_reliability

MODELS = (
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror='window.hacked=2'>",
    "__proto__",
)
ITEMS = (
    "<!-- <script>",
    '<a href="javascript:window.hacked=3">here</a>',
    "$x^2$ %{x} <b>bold</b>",
    "__proto__",
    "constructor",
    *(f"item {k}" for k in range(20)),
)
ROLES = ("teacher", "student", "student")
PAGE = """<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="../_static/explorer.css">
<script defer src="../plotly/plotly-basic.min.js"></script>
<script defer src="../_static/explorer.js"></script>
<script>
// as Sphinx does
document.addEventListener("keydown", (event) => {{
  const typing = ["INPUT", "SELECT", "TEXTAREA", "BUTTON"].includes(document.activeElement.tagName);
  if (event.key === "Escape" && !typing) event.preventDefault();
}});
</script>
<style>
html {{ --pst-color-text-base: #222832; --pst-color-background: #fff; }}
html[data-theme=dark] {{ --pst-color-text-base: #ced6dd; --pst-color-background: #14181e; }}
html {{ background: var(--pst-color-background); }}
body {{ margin: 1rem auto; max-width: 50rem; padding: 0 0.6rem; }}
</style></head>
<body><main><h1>Explorer</h1><h2>Look around</h2>{explorer}
<figure class="handan-figure"><img alt="a figure" src="data:image/gif;base64,R0lGODlhAQABAAAAACw="></figure>
</main></body></html>
"""


def hostile(seed=0):
    rng = np.random.default_rng(seed)
    times = rng.normal(1.5, 0.5, len(ITEMS))
    norms = pd.DataFrame({"task": "<i>task</i>", "item": ITEMS, "log_rt": times})
    costs = pd.DataFrame(
        [
            {"study": "<u>study</u>", "model": model, "task": "<i>task</i>", "item": item, "stop": "stop"}
            | {"reasoning_tokens": round(float(np.exp(4 + time + rng.normal(0, 0.4))))}
            for model in MODELS
            for item, time in zip(ITEMS, times, strict=True)
        ]
    )
    reliability = pd.DataFrame({"study": ["<u>study</u>"], "task": ["<i>task</i>"], "reliability": [0.81]})
    lineage = pd.DataFrame({"model": MODELS, "role": ROLES, "teacher": [None, None, MODELS[0]]})
    return Study(
        name="<u>study</u>",
        title="A <em>study</em>",
        measure="human <b>time</b>",
        measure_label="ln human time (s)",
        norms=check_norms(norms),
        costs=check_costs(costs),
        reliability=check_reliability(reliability),
        lineage=lineage,
    )


def write_site(root, folder, explorer):
    """Lay the page out as the book does: notebooks/, _static/ and what comes with the book."""
    for name in ("notebooks", "_static"):
        (folder / name).mkdir(parents=True)
    for name in ("explorer.js", "explorer.css"):
        shutil.copy(root / "book/static/theme" / name, folder / "_static")
    shutil.copytree(root / "book/static/vendor/plotly", folder / "plotly")
    page = folder / "notebooks/explorer.html"
    page.write_text(PAGE.format(explorer=explorer), encoding="utf-8")
    return folder
