# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Claims: what holds, what does not, what cannot be told
#
# **After this chapter you can**
#
# - say of each claim of the paper what our data say, with an interval;
# - name the rule that decides, and where the claim was made;
# - run the same page on your own tables.
#
# **Time:** twenty minutes to read, about a minute to run.
#
# This page collects. Each number comes from a finding of an earlier chapter, and each verdict
# from a rule of the ledger. Nothing on it is typed.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer resamples
study = "all"  # or the name of one study
costs_file = ""  # your own costs, norms and lineage as CSV; they replace the recorded studies
norms_file = ""
lineage_file = ""
seed = 0

# %%
import json
from pathlib import Path

import pandas as pd

from handan import figures_claims as pictures
from handan.battery import Sizes
from handan.book import show
from handan.book.download import download
from handan.book.live import Line
from handan.claimed import claimed
from handan.findings import constancy, rules, verdict
from handan.findings.claims import COLUMNS, as_json, tally
from handan.findings.ledger import ledger
from handan.findings.published import published_checks
from handan.profiles import profile as find_profile

# %%
size = find_profile(profile)
own = [Path(name) if name else None for name in (costs_file, norms_file, lineage_file)]
line = Line()
found, battery = claimed(
    *own,
    study=None if study == "all" or costs_file else [study],
    sizes=Sizes(n_boot=size.n_boot, n_pooled=size.n_pooled, seed=seed),
    report=lambda step: line.write(str(step)),
)
line.write(f"{len(found.rows)} verdicts from {len(battery.tables)} tables of findings")
rows = found.rows

# %% [markdown]
# ## The ledger
#
# A claim enters the ledger with what was said, where, and how sure we are of that. The full
# text of the paper was not available to us. *Verified* means that we read it in an abstract, a
# figure or another primary source. *Third party* means that somebody else says so.
# *Inferred* means that we read it into the paper's words.

# %%
entries = ledger()
LEDGER = {"claim": "claim", "said": "what is said", "paper": "number", "rule": "rule",
          "certainty": "how we know", "where": "where"}  # fmt: skip
listed = pd.DataFrame(
    [dict(claim=one.title, said=one.said, paper=one.paper, rule=one.rule, certainty=one.certainty, where=one.where)
     for one in entries]
)  # fmt: skip
listed["paper"] = [f"{value:.2f}" if isinstance(value, float) else value for value in listed["paper"]]
show.table(listed, "The claims, and where they come from.", labels=LEDGER, name="ledger")

# %% [markdown]
# ## The rules
#
# A rule turns an interval into a verdict. There are five, and each claim names one.

# %% tags=["hide-input"]
show.say(
    "- **direction**: *supported* when the whole interval of a difference lies on the claimed side of zero; *not "
    "supported* when a difference of {smallest:.2f} in that direction is ruled out. That is a third of the drop "
    "that the paper reports.",
    smallest=verdict.SMALLEST,
)
show.say(
    "- **near**: *supported* when the whole interval lies within {near:.2f} of the published correlation; *not "
    "supported* when it lies outside as a whole, and not only because the norm is noisy.",
    near=rules.NEAR,
)

# %% tags=["hide-input"]
show.say(
    "- **factor**: the same for a ratio, within a factor of {factor:.2f} to either side.", factor=rules.FACTOR
)
show.say(
    "- **constant**: *supported* when the whole interval of the change per standard deviation of difficulty lies "
    "within a factor of {within:.2f} either way; *not supported* when a change is certain and may be larger.",
    within=constancy.WITHIN,
)
show.say("- **found**: the finding has a rule of its own, which its chapter states.")
show.say("Everything else is *cannot tell*, and so is anything with fewer than {n} items.", n=verdict.FEWEST)

# %% [markdown]
# The rules of direction and of constancy stood before any number was seen. The others were
# written with the ledger. After its first run a review found faults, and four things were
# changed. You should know them, because the numbers had been seen by then.
#
# - A correlation below the published one no longer speaks against it where the noise of the norm
#   explains it. This turned a *not supported* into a *cannot tell*.
# - Claims about the level of a correlation now need times of people. Levels, steps and grades no
#   longer speak to them, and the studies that have nothing else fell silent.
# - The size of the collapse became a claim of its own. Before, its number stood beside a rule that
#   looks at the direction alone.
# - Correlations over a handful of items no longer enter a mean, and many small tasks no longer
#   count as a large one.
#
# ## All verdicts at a glance

# %% tags=["hide-input"]
counts = tally(rows)
total = rows["verdict"].value_counts()
caption = (
    f"Of {len(rows)} verdicts {total.get('supported', 0)} support the claim, {total.get('not supported', 0)} do "
    f"not, and {total.get('cannot tell', 0)} leave it open. An empty place: the study cannot speak to the claim."
)
alt = f"A grid of {rows['title'].nunique()} claims by {rows['study'].nunique()} studies with a marker per verdict."
show.figure(pictures.verdict_grid(rows), caption, alt, name="grid")

# %% tags=["hide-input"]
TALLY = {"title": "claim", "supported": "supported", "not supported": "not supported",
         "cannot tell": "cannot tell", "studies": "verdicts"}  # fmt: skip
note = "The organism counts twice, once for each repertoire of its bases."
show.table(counts, "Verdicts by claim, counted over studies.", labels=TALLY, note=note, name="tally")

# %% [markdown]
# The studies are not votes. They differ in what stands for difficulty, in the models, and in
# the number of items. A study with measured times of people says more about the paper than
# one with the grades of a language model. The measure therefore stands beside each verdict.
# The verdicts are not corrected for their number.
#
# ## Claim by claim

# %% tags=["hide-input"]
CLAIM = {"study": "study", "ours": "ours [95 %]", "verdict": "verdict", "on_edge": "on the edge",
         "n_items": "items", "ceiling": "ceiling", "truncated": "share cut", "measure": "difficulty"}  # fmt: skip


def tell(entry):
    here = rows[rows["claim"] == entry.name]
    show.say("### {title}", title=entry.title)
    show.say("{said} ({certainty}: {where})", said=entry.said, certainty=entry.certainty, where=entry.where)
    if here.empty:
        return show.say("No study here can speak to it: it needs {needs}.", needs=entry.needs)
    digits = {"ours": 3, "low": 3, "high": 3, "n_items": 0}
    show.table(here, f"{entry.title}: the claim is {entry.paper}, and we get this.", labels=CLAIM, digits=digits,
               intervals={"ours": ("low", "high")}, name=entry.name)  # fmt: skip
    draw(entry, here)
    for sentence in here["sentence"]:
        show.say("- {sentence}", sentence=sentence)


# %% tags=["hide-input"]
UNITS = {"near": "r", "direction": "difference of correlations", "factor": "multiplier",
         "constant": "change of the multiplier per SD of difficulty (factor)", "found": "difference"}  # fmt: skip


def draw(entry, here):
    each = {
        name: int((here["verdict"] == name).sum()) for name in ("supported", "not supported", "cannot tell")
    }
    told = ", ".join(f"{number} {name}" for name, number in each.items())
    caption = f"{entry.title}: {told}. Bars: 95 % intervals."
    alt = f"Estimates of {len(here)} studies with intervals beside the claim of {entry.paper}."
    show.figure(pictures.beside_the_paper(here, UNITS[entry.rule]), caption, alt, name=f"figure-{entry.name}")


# %%
for entry in entries:
    tell(entry)

# %% [markdown]
# ## Who is silent, and why
#
# A study that lacks a model or a measure says nothing about a claim. That is no support and no
# contradiction.

# %% tags=["hide-input"]
titles = {one.name: one.title for one in entries}
silent = found.silent.assign(claim=found.silent["claim"].map(titles))
together = silent.groupby(["claim", "reason"], sort=False)["study"].agg(", ".join).reset_index()
SILENT = {"claim": "claim", "study": "studies that cannot speak", "reason": "why"}
show.table(together, "Claims and the studies that cannot speak to them.", labels=SILENT, name="silent")

# %% [markdown]
# ## Do the printed numbers fit together?
#
# Some numbers that are quoted for the paper can be checked without its data.

# %%
checks = published_checks()
CHECKS = {"check": "what is checked", "printed": "printed", "recomputed": "recomputed", "agrees": "agrees",
          "note": "what follows"}  # fmt: skip
show.table(
    checks,
    "Published numbers, recomputed.",
    labels=CHECKS,
    digits={"printed": 3, "recomputed": 3},
    name="checks",
)

# %% [markdown]
# ## Take it with you
#
# The terminal prints the same from the same call: `handan claims`, with `--format csv` or
# `--format json` for a program. With your own tables it is
# `handan claims my_costs.csv --norms my_norms.csv --lineage my_models.csv`.

# %% tags=["hide-input"]
download(
    "claims.json",
    json.dumps(as_json(found), indent=2, ensure_ascii=False),
    "claims.json: every verdict of this page",
)
download("claims.csv", rows[COLUMNS].to_csv(index=False), "claims.csv: the verdicts as a table")

# %% [markdown]
# ## What this page can't say
#
# - **It is not a vote.** A claim that is supported in one study and not in another is one that
#   depends on something. The chapter on the multiverse asks on what.
# - **Not the paper's data.** We test the paper's claims on other items, mostly with weaker
#   measures of difficulty. A claim that fails here may hold on the paper's own data.
# - **Bands are choices.** How near is near enough was fixed beforehand, but it was fixed by us.
# - **These models, new items.** An interval speaks about other items of the same kind. Only
#   the organism was trained more than once, so only there are models random too.
