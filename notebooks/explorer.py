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
# # Explorer: every item of every study
#
# **On this page you can**
#
# - choose a study, a task and a model, and see each item as a point;
# - lay a second model over the first, for example a student over its teacher;
# - open an item and read its problem;
# - read what a tiny teacher, its student and their base wrote about the same item.
#
# **Time:** as long as you like.
#
# A point is one item. To the right are items that took people longer, or that the study calls
# harder. Further up are items on which the model wrote more. Where nobody was timed, the axis
# says what stands in for time.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer resamples, and makes fewer traces
study = "all"  # or the name of one study
seed = 0

# %%
from handan import costs, explorer, profiles
from handan.book import show
from handan.explorer.figure import small_multiples

MOST = 2_000  # resamples: enough for two decimals
size = profiles.profile(profile)
names = [*costs.studies(), costs.ORGANISM] if study == "all" else [study]
found = [explorer.evidence(name, n_boot=min(MOST, size.n_boot), seed=seed) for name in names]
samples = explorer.tiny_traces(limit=size.n_items) if costs.ORGANISM in names else None

# %% [markdown]
# ## Look around
#
# Click a point to open its item. With the keyboard: move to the list of items, walk through it
# with the arrow keys, and press Enter. Typing the first characters of a name jumps to it. The
# address of the page changes with your choices, so you can send somebody a link to what you see.

# %% tags=["hide-input"]
explorer.show(found, samples)

# %% [markdown]
# Three questions to begin with:
#
# - In *gpqa-minutes*, which questions took people little time and models many tokens? (Only their ids
#   are public here.)
# - In *mip-math*, is the student's cloud of points flatter than its teacher's, or only higher?
# - In *organism*, open an item with many carries. Which of the three models shows all steps?
#
# ## The same on paper
#
# The figure shows the models that the explorer starts with. The table has the numbers of all.

# %% tags=["hide-input"]
pairs = [f"{one.first} and {one.second}" if one.second else one.first for one in found]
show.figure(
    small_multiples(found),
    "Each point is an item; lines are least squares fits. The models are, study by study: "
    + "; ".join(f"{one.study.name}: {pair}" for one, pair in zip(found, pairs, strict=True)) + ".",
    "Small scatter plots of what models wrote against the measure of difficulty, one per study and task.",
    name="explorer-figure",
)  # fmt: skip

# %% tags=["hide-input"]
show.table(
    explorer.table(found),
    "Every cell that can be chosen: r of log cost with the study's measure, its 95 % item-bootstrap interval, "
    "the noise ceiling, and the percentage of traces cut at the limit.",
    labels={"study": "study", "task": "task", "model": "model", "n": "items", "r": "r [interval]",
            "ceiling": "ceiling", "percent_cut": "% cut"},
    intervals={"r": ("boot_low", "boot_high")},
    digits={"percent_cut": 1},
    name="explorer-table",
)  # fmt: skip

# %% tags=["hide-input"]
family = next((one for one in found if one.study.name == costs.ORGANISM), None)
if family is not None:
    show.say(
        "Of the tiny models, {shown} of {all} are here: the families of one seed. Their traces were made while this "
        "page was built, {traces} of them.",
        shown=family.aligned["model"].nunique(),
        all=costs.load_study(costs.ORGANISM).costs["model"].nunique(),
        traces=len(samples.rows),
    )
