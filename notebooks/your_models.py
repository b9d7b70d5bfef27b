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
# # Your own GPU
#
# **After this chapter you can**
#
# - say which models of the lineage your machine holds, and what asking them takes;
# - make traces that survive a disconnect;
# - compare a teacher, a student and its base with people, on your own data.
#
# **Time:** 15 minutes to read. How long it runs is said below, before anything starts.
#
# The recorded studies of this book come from other people's runs. On this page you make the
# data yourself: the models answer problems that people were timed on. That is the paper's own
# experiment. Everything from the first prompt to the verdict happens on your machine.
#
# Without a GPU the page still runs. Then it asks the tiny family that comes with the package.

# %% tags=["parameters"]
profile = "default"  # "auto" is what fits this machine; or cpu, t4, l4, a100, cluster
models = ""  # names with commas between; empty takes those of the profile
tasks = "binary-addition, binary-subtraction"  # of the item bank
samples = 2  # answers per item
limit = 0  # items per task, evenly spread; 0 takes as many as the profile
max_new_tokens = 8192  # an answer that is longer is cut
out = ""  # a folder for the traces; empty takes Google Drive where it is mounted
drive = False  # True mounts your Google Drive on Colab, and asks you for permission
seed = 0

# %% tags=["hide-input"]
import sys
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from handan import figures, machine, machine_estimate, machine_fit, machine_models, profiles, traces
from handan.book import show
from handan.findings.alignment import align
from handan.findings.collapse import collapse
from handan.findings.join import join
from handan.findings.transfer import transfer
from handan.findings.verdict import COLLAPSE, FEWEST, TRANSFER, no_data
from handan.lineage import extended, find

# %% tags=["hide-input"]
from handan.norms import load_bank, load_reliability
from handan.organism.corpus import held_out_items
from handan.organism.grammar import TASKS
from handan.traces import counting, jobs
from handan.traces.progress import Progress, duration

# %%
size = profiles.profile(profile)
chosen = [name.strip() for name in tasks.split(",")]
most = limit or size.n_items
lineage = extended(machine_models.tiny_lineage())

# %% [markdown]
# ## What this machine is
#
# The number format matters. A model that computes in 16 bits can choose another word here and
# there than the same model in 32 bits. So the format is recorded with every trace.

# %% tags=["hide-input"]
found = machine.look(out or ".")


def gigabytes(size):
    return None if size is None or pd.isna(size) else size / 1e9


facts = {
    "platform": found.platform,
    "processors": found.cores,
    "memory": found.memory and f"{gigabytes(found.memory):.1f} GB",
    "GPUs": f"{found.gpus} × {found.gpu}" if found.gpus else "none",
    "memory of a GPU": found.gpu_memory and f"{gigabytes(found.gpu_memory):.1f} GB",
    "number format": found.reason,
}
table = pd.DataFrame([{"what": what, "here": str(value)} for what, value in facts.items() if value])
show.table(table, "The machine that this page ran on.", name="machine")

# %% [markdown]
# ## What fits
#
# A model fits when its weights and the text of at least one full answer lie in the memory of the
# GPUs. The weights take two bytes each in 16 bits. The text takes a fixed number of bytes per
# token, the *key-value cache*. Both follow from the shape of the model. A profile takes the largest
# student that also leaves room for several answers side by side, with the base that it was
# distilled from and the instruct model of its family.


# %% tags=["hide-input"]
heads = {"profile": "profile", "gpus": "GPUs", "each": "GB each", "models": "models that it asks",
         "largest": "GB of the largest"}  # fmt: skip
fits = machine_models.planned(["cpu", "t4", "l4", "a100", "cluster"], max_new_tokens)
for part in ("each", "largest"):
    fits[part] = fits[part] / 1e9
show.table(fits, "What each profile asks, computed from the shapes of the models.", labels=heads,
           digits={"each": 0, "largest": 1}, name="fits")  # fmt: skip

# %% tags=["hide-input"]
t4 = profiles.profile("t4")
elsewhere = machine_estimate.teacher_elsewhere(t4.models, t4.hardware)
show.say("On the profile t4: {said}", said=elsewhere)

# %% [markdown]
# An endpoint is asked from a terminal:
#
# ```
# handan traces DeepSeek-R1 --task syllogisms --engine openai --base-url ADDRESS --out DIR
# ```
#
# Its answer is a trace like any other. But an endpoint does not say which weights
# and which number format it uses. The traces keep a note of that.
#
# ## What it will take
#
# Nothing has been downloaded or loaded so far. What the models need is compared with what this
# machine has: the memory of its GPU, or of the machine where it has no GPU, and the free disk.

# %%
items = traces.problems(chosen, limit=most)
names = [name.strip() for name in models.split(",") if name.strip()] or machine_fit.wanted(size, found)
hardware = machine_fit.present(size, found)
choice = machine_fit.choose(names, hardware, found, len(items) * samples, max_new_tokens)
asked, is_tiny = choice.asked, set(choice.asked) <= set(traces.tiny())

# %% tags=["hide-input"]
if said := machine_fit.absent(size, found):
    show.say("{said}", said=said)
needs = choice.needs
needs["time"] = [
    "not asked" if name in choice.refused else duration(seconds) if seconds > 0 else "measured below"
    for name, seconds in zip(needs["model"], needs["seconds"], strict=True)
]
for part in ("disk", "memory"):
    needs[part] = needs[part] / 1e9

# %% tags=["hide-input"]
heads = {"model": "model", "role": "role", "disk": "GB to download", "memory": "GB of memory", "tokens": "tokens an answer",
         "source": "expected from", "time": "time"}  # fmt: skip
show.table(
    needs, f"What {len(items) * samples:,} answers per model take: {len(items):,} items, {samples} of each.",
    labels=heads, digits={"disk": 1, "memory": 2, "tokens": 0}, note=machine_estimate.basis(hardware), name="needs",
)  # fmt: skip

# %% tags=["hide-input"]
if choice.download:
    show.say(
        "{need:.1f} GB are still to be downloaded. {free:.0f} GB of disk are free for that.",
        need=choice.download / 1e9, free=float("nan") if choice.free is None else choice.free / 1e9,
    )  # fmt: skip
for name, reason in choice.refused.items():
    show.say("- **{name} is not asked:** {reason}.", name=name, reason=reason)
if choice.unknown:
    show.say(
        "Nothing is known of the size of {unknown}. We try, as you named it.", unknown=list(choice.unknown)
    )
# %% tags=["hide-input"]
if choice.stands_in:
    show.say(
        "So nothing that you named can be asked here. Name a smaller model in `models`, or leave it empty to take what "
        "fits. A larger one can be asked on a larger GPU or at an endpoint. **From here on this page asks the tiny "
        "family of the package instead**, to show how it goes on. It learned {tasks}, and says nothing about {refused}.",
        tasks=list(TASKS), refused=list(choice.refused),
    )  # fmt: skip
elif said := machine_estimate.teacher_elsewhere(asked, hardware):
    show.say("{said}", said=said)

# %% [markdown]
# Is that too long? Lower `limit` or `samples`, or name a smaller model in `models`. A run that was
# made with fewer items is not lost when you ask for more later.
#
# ## Where the traces go
#
# On Colab, set `drive = True` at the top. The next cell then mounts your Google Drive. It asks for
# your permission, and traces go to a folder there. On a cluster, name a folder of the shared disk
# in `out`. What the tiny family writes is kept only if you set one of the two.

# %%
decoding = traces.Decoding(max_new_tokens, seed=seed)
if is_tiny:  # they learned at temperature 1
    decoding = traces.Decoding(max_new_tokens, temperature=1.0, top_p=1.0, seed=seed)
is_brief = is_tiny and not (out or drive)
folder = Path(mkdtemp(prefix="traces-")) if is_brief else machine.keep(out, mount=drive)

# %% [markdown]
# ## Go
#
# Every answer is written to disk as it comes. When the session ends, the power fails or you stop
# the cell, run all cells again. The loop goes on with what is missing.


# %%
def ask(name):
    engine = machine_models.options(name, hardware)
    job = jobs.prepare(name, chosen, decoding, engine, samples=samples, limit=most)
    return job.chosen.model.name, jobs.execute(
        job, folder, progress=None if is_tiny else Progress(sys.stdout)
    )


reports = dict(ask(name) for name in asked)  # by the names that the traces have

# %% tags=["hide-input"]
expected = needs.set_index("model")["rate"].loc[list(asked)].tolist()
done = pd.DataFrame(
    {"model": name, "asked": one.asked, "there": one.settled, "done": one.done, "failed": one.failed,
     "rate": one.tokens / one.seconds if one.seconds else None, "estimate": rate}
    for (name, one), rate in zip(reports.items(), expected, strict=True)
)  # fmt: skip
heads = {"model": "model", "asked": "answers wanted", "there": "there before", "done": "written now", "failed": "failed",
         "rate": "tokens per second", "estimate": "estimated"}  # fmt: skip
show.table(done, "What was done in this run.", labels=heads, digits=0, name="done")

# %% [markdown]
# Is nothing left? Then asking again writes nothing.

# %%
first, again = ask(asked[0])

# %% tags=["hide-input"]
show.say(
    "Asked once more, {model} wrote {done} answers; {settled:,} of {asked:,} were there.",
    model=first, done=again.done, settled=again.settled, asked=again.asked,
)  # fmt: skip

# %% [markdown]
# ## Count
#
# The cost of an answer is what the model spent on reasoning: the tokens between its tags, or all of
# them where a model has no tags. Of the tiny family we count all that they wrote. Some of them
# learn to reason without a single token, and the logarithm of zero does not exist.

# %%
costs, remarks = counting.counted([folder])
costs = costs[costs["model"].isin(reports) & costs["task"].isin(chosen)]
cost = "output_tokens" if is_tiny else "reasoning_tokens"
joined = join(costs, load_bank(chosen), cost)
reliability = load_reliability().assign(study=costs["study"].iloc[0])

# %% tags=["hide-input"]
spent = costs.assign(spent=costs[cost].astype(float), cut=costs["stop"].eq("length").astype(float))
heads = {"model": "model", "task": "task", "mean": "mean tokens", "right": "share right", "cut": "share cut"}
means = spent.groupby(["model", "task"], sort=False).agg(
    mean=("spent", "mean"), right=("correct", "mean"), cut=("cut", "mean")
)
show.table(
    means.reset_index(), "What the models spent, and how often they were right.", labels=heads, name="spent"
)
for remark in remarks:
    show.say("{remark}", remark=remark)

# %% [markdown]
# ## Do tokens follow human time?

# %%
aligned = align(joined, reliability, n_boot=size.n_boot, seed=seed)
aligned["role"] = [
    find(name, lineage)["role"] if name in set(lineage["model"]) else "unknown" for name in aligned["model"]
]

# %% tags=["hide-input"]
heads = {"model": "model", "role": "role", "task": "task", "n": "items", "r": "r [95 %]", "ceiling": "ceiling",
         "truncated": "share cut", "excluded": "rows left out"}  # fmt: skip
show.table(
    aligned, "Alignment with people: log tokens against log response time, with the item bootstrap.", labels=heads,
    intervals={"r": ("boot_low", "boot_high")}, name="alignment",
)  # fmt: skip

# %% tags=["hide-input"]
shown = aligned.dropna(subset=["r"])
if len(shown):
    several = ", " + shown["task"] if shown["task"].nunique() > 1 else ""
    fig = figures.intervals(
        shown.assign(label=shown["model"] + several), value="r", low="boot_low", high="boot_high", label="label",
        group="role", ceiling="ceiling", xlabel="r of log tokens with log response time",
    )  # fmt: skip
    best = shown.loc[shown["r"].idxmax()]
    caption = f"The best aligned is {best['model']} in {best['task']}: r = {best['r']:.2f}. Bars: 95 % item bootstrap."
    show.figure(
        fig, caption, "Correlations with intervals, a line per model and task.", name="alignment-figure"
    )

# %% [markdown]
# A missing r means that a model spent the same on every item, or nothing.
#
# ## Teacher, student, base
#
# The two claims of the paper, with the rule of [collapse](05_collapse) and
# [transfer](06_transfer): is the student less aligned than a teacher, and less than its own base?

# %%
contrasts = {
    COLLAPSE: collapse(joined, lineage, reliability, n_boot=size.n_pooled, seed=seed),
    TRANSFER: transfer(joined, lineage, reliability, n_boot=size.n_pooled, seed=seed),
}

# %% tags=["hide-input"]
heads = {"a": "first", "b": "second", "task": "task", "relation": "relation", "n": "items", "r_a": "r first",
         "r_b": "r second", "difference": "difference [95 %]", "ceiling": "ceiling"}  # fmt: skip
for claim, one in contrasts.items():
    if len(one.pairs):
        show.table(
            one.pairs, f"{claim.name.capitalize()}: first minus second.", labels=heads,
            intervals={"difference": ("boot_low", "boot_high")}, name=claim.name,
        )  # fmt: skip

# %% tags=["hide-input"]
MISSING = {
    COLLAPSE: "no teacher and student were asked together",
    TRANSFER: "no student was asked with its base",
}
for claim, one in contrasts.items():
    if one.pooled.empty:
        reason = MISSING[claim] if one.pairs.empty else "no pair has an r on both sides"
        show.say("- {sentence}", sentence=no_data(claim, "your run", reason))
    for sentence in one.pooled.get("sentence", []):
        show.say("- {sentence}", sentence=sentence.replace("In yours", "In your run"))

# %% [markdown]
# ## What these data can't say

# %% tags=["hide-input"]
cut = costs["stop"].eq("length").mean()
per_item = costs.groupby(["model", "task", "item"]).size().median()
show.say(
    "- **{n:.0f} answers stand behind an item.** What a model spends varies from one answer to the next. That noise "
    "lowers every r.\n- **{cut:.0f} % of the answers were cut.** A cut answer is a lower bound of what it would have "
    "cost.\n- **{items} items of {tasks}.** Below {few} items there is no verdict.",
    n=per_item, cut=100 * cut, items=len(items), tasks=chosen, few=FEWEST,
)  # fmt: skip
if is_tiny:
    unseen = set(held_out_items(tuple(set(chosen) & set(TASKS)))) & set(items)
    show.say(
        "- **These models are tiny.** {share:.0f} % of these items were kept out of their training; they saw the others. "
        "What follows from them is the matter of [chapter 9](09_organism).", share=100 * len(unseen) / len(items),
    )  # fmt: skip

# %% [markdown]
# - **One family is one case.** A difference between one student and one teacher may be due to size, data or luck.
# - **A teacher of another family** is compared as such: the table says *other teacher*.
# - **Your numbers will differ from your neighbour's.** Another card, another number format or another batch size can
#   change a word, and one word all that follow. Compare signs and intervals.
#
# ## The same in a terminal
#
# ```
# handan traces DeepSeek-R1-Distill-Qwen-1.5B --task binary-addition --samples 2 --out traces
# handan costs traces --out costs.csv
# handan report costs.csv --out report
# ```
#
# To bring models that the lineage does not know, add a row with at least their model and role:
# `handan traces ... --lineage FILE`.
