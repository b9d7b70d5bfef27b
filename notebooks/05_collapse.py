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
# # Collapse: is the student less aligned than the teacher?
#
# **After this chapter you can**
#
# - compare two correlations that share their items and their people;
# - say which test keeps its level, and which wastes the data;
# - pool over pairs of models without pretending that they are independent;
# - read a verdict and the rule behind it;
# - say how many items a study needs, and what a recorded study could have seen.
#
# **Time:** 45 minutes to read, about a minute to run.
#
# The paper's first claim is *functional alignment collapse*. Teachers, trained by
# reinforcement, follow human difficulty at a mean r of 0.64. Students, fine-tuned on the
# traces of a teacher, follow it at 0.34. The form was copied, the allocation of effort not.
#
# To test this we need the difference between two correlations. This chapter shows how to
# compare them properly, and then does so in every recorded study that has teachers and
# students on the same items.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer resamples and simulated studies
study = "all"  # or the name of one study
seed = 0

# %%
import numpy as np
import pandas as pd

from handan import costs, figures, figures_power, profiles
from handan.book import show
from handan.findings.alignment import align, mean_alignment
from handan.findings.collapse import collapse
from handan.findings.contrast import unpaired_cells
from handan.findings.detectable import PAPER, detectable
from handan.findings.join import join
from handan.findings.verdict import COLLAPSE, FEWEST, SMALLEST, enough, no_data
from handan.lineage import load_lineage
from handan.stats.power_table import items_table, power_table
from handan.stats.simulate import operating_characteristics

# %%
size = profiles.profile(profile)
names = costs.studies() if study == "all" else [study]
studies = {name: costs.load_study(name) for name in names}
joined = {name: join(one.costs, one.norms) for name, one in studies.items()}
lineage = load_lineage()
roles = lineage.set_index("model")["role"].to_dict()

# %%
found = {
    name: collapse(joined[name], lineage, studies[name].reliability, n_boot=size.n_pooled, seed=seed)
    for name in names
}
speaking = [name for name in names if not found[name].pairs.empty]
silent = [name for name in names if found[name].pairs.empty]

# %% [markdown]
# ## Two correlations on the same items
#
# Let $a$ be the log cost of the teacher, $b$ that of the student, and $h$ the human measure.
# We compare $r_{ah}$ with $r_{bh}$. Both use the same $h$ and the same items. If teacher and
# student resemble each other ($r_{ab}$ is high), a lucky draw of items lifts both at once, and
# the difference is more certain than it looks.
#
# Four tools take this into account:
#
# - **Williams' t**, which E. J. Williams proposed in 1959, tests whether the two correlations are equal.
# - **Steiger's Z** and **Meng, Rosenthal and Rubin's Z** do the same through Fisher's z.
# - **Zou's interval** gives the range of differences that the data allow.
#
# Beside them stands the **item bootstrap**: draw the items again, recompute both
# correlations, and look at the difference.
#
# Williams' t, for the record, has $n - 3$ degrees of freedom, where $n$ is the number of items. Let
# $\bar r = (r_{ah} + r_{bh}) / 2$ be the mean of the two correlations, and $|R|$ the determinant of the
# correlation matrix of $a$, $b$ and $h$. Then
#
# $$ t = (r_{ah} - r_{bh}) \sqrt{\frac{(n-1)(1+r_{ab})}
#    {2\frac{n-1}{n-3}|R| + \bar r^2 (1-r_{ab})^3}}, \qquad
#    |R| = 1 - r_{ah}^2 - r_{bh}^2 - r_{ab}^2 + 2 r_{ah} r_{bh} r_{ab}. $$

# %% tags=["hide-input"]
PAIR = {"a": "teacher", "b": "student", "task": "task", "n": "items", "r_a": "r teacher", "r_b": "r student",
        "difference": "difference [Zou]", "williams_p": "Williams p", "boot_low": "bootstrap low",
        "boot_high": "high", "r_ab": "r of the two", "williams_t": "t"}  # fmt: skip
if speaking:
    example = found[speaking[-1]].pairs.iloc[[0]]
    show.table(
        example,
        f"One pair as an example, from {speaking[-1]}.",
        labels=PAIR,
        intervals={"difference": ("zou_low", "zou_high")},
        name="example",
    )

# %% [markdown]
# ## Which test can be trusted?
#
# A test should reject a true null hypothesis in 5 % of all studies, no more and not much
# less. We can check by simulation. We make up studies of 50 items in which teacher and
# student are equally aligned, or differ, and count how often each test rejects. The two
# models correlate at 0.6 with each other.


# %%
def simulated(drop, t_df=None):
    table = operating_characteristics(
        0.6, 0.6 - drop, 0.6, n=50, n_studies=size.n_studies, n_boot=500, t_df=t_df, seed=seed
    )
    return table.assign(drop=drop)


table = pd.concat([simulated(drop) for drop in (0.0, 0.1, 0.2, 0.3)], ignore_index=True)
level = table[table["drop"] == 0].set_index("test")["rejected"]
power = table[table["drop"] == table["drop"].max()].set_index("test")["rejected"]

# %% tags=["hide-input"]
TESTS = {"williams": "Williams", "steiger": "Steiger", "meng": "Meng, Rosenthal, Rubin", "zou": "Zou's interval",
         "item-bootstrap": "item bootstrap", "independent": "independent samples"}  # fmt: skip
fig = figures_power.rejections(
    table.replace({"test": TESTS}), x="drop", xlabel="true difference of the two correlations", level=0.05
)
caption = (
    f"Without a difference Williams' test rejects {100 * level['williams']:.1f} % of studies, the test for "
    f"independent samples {100 * level['independent']:.1f} %. At a true drop of 0.3 they find "
    f"{100 * power['williams']:.0f} % and {100 * power['independent']:.0f} %. The dotted line is the nominal 5 %."
)
alt = "Rejection rate against the true difference for six tests; all rise, the independent test lies below."
show.figure(fig, caption, alt, name="operating")

# %% [markdown]
# The test for independent samples, the one in most textbooks, ignores that both models saw
# the same items. It is too cautious here and misses differences that are there. The figure
# also shows how little 50 items can do against a small drop.
#
# The simulation so far drew normal data. Log tokens and log times have heavier tails: a few
# items are far out on both. Let us repeat the case without a difference with such data (a
# multivariate t with 5 degrees of freedom).

# %%
heavy = simulated(0.0, t_df=5).set_index("test")["rejected"]
levels = pd.DataFrame({"normal": 100 * level, "heavy": 100 * heavy}).rename_axis("test").reset_index()

# %% tags=["hide-input"]
show.table(
    levels.replace({"test": TESTS}),
    "Share of studies, in percent, in which a test rejects although there is no difference. It should be 5.",
    digits=1,
    labels={"test": "test", "normal": "normal data", "heavy": "heavy tails"},
    name="levels",
)

# %% tags=["hide-input"]
show.say(
    "With heavy tails Williams' test rejects {williams:.1f} % instead of 5 %, the item bootstrap {boot:.1f} %.",
    williams=100 * heavy["williams"], boot=100 * heavy["item-bootstrap"],
)  # fmt: skip
less = heavy["item-bootstrap"] < heavy["williams"]
show.say(
    "The formulas trust the normal distribution, and pay for it. The bootstrap pays {much}{rest}.",
    much="less" if less else "no less",
    rest=": it too rejects more than 5 %" if heavy["item-bootstrap"] > 0.05 else "",
)

# %% [markdown]
# The bootstrap assumes no distribution. Chapter 4 says how its interval allows for few items.
# **All verdicts in this book come from the item bootstrap.** The formulas stand beside it because they are what the
# literature reports.
#
# ## Every pair
#
# A study enters if it has at least one teacher and one student. A pair is *own teacher* when
# the lineage names that model as the student's teacher, and *other teacher* otherwise. For some
# students (Qwen3, LIMO) this is inferred, or names only the main one of several.


# %% tags=["hide-input"]
def pair_figure(name):
    pairs = found[name].pairs
    task = ", " + pairs["task"] if pairs["task"].nunique() > 1 else ""
    return figures.intervals(
        pairs.assign(label=pairs["a"] + " − " + pairs["b"] + task), value="difference", low="boot_low",
        high="boot_high", label="label", group="relation", xlabel="r of the teacher minus r of the student",
    )  # fmt: skip


# %% tags=["hide-input"]
def counted(pairs):
    n_pairs, n_tasks = len(pairs[["a", "b"]].drop_duplicates()), pairs["task"].nunique()
    return (
        f"{len(pairs)} comparisons ({n_pairs} pairs, {n_tasks} tasks)" if n_tasks > 1 else f"{n_pairs} pairs"
    )


# %% tags=["hide-input"]
def pair_caption(name):
    pairs = found[name].pairs
    ceiling = pairs["ceiling"].iloc[0]
    return (
        f"In {name} the interval lies above zero in {(pairs['boot_low'] > 0).sum()} of {counted(pairs)}. "
        "To the right, the teacher is more aligned. Bars: 95 % item bootstrap. Ceiling of an r: "
        + ("not known." if np.isnan(ceiling) else f"{ceiling:.2f}.")
        + "".join(empty_row(row) for row in pairs[pairs["boot_low"].isna()].itertuples())
    )


def empty_row(row):
    why = "they have no item in common" if row.n == 0 else row.note
    return f" {row.a} and {row.b} have no interval in task {row.task}: {why}."


# %% tags=["hide-input"]
for name in speaking:
    alt = f"Differences between teacher and student in {name}, with intervals: {counted(found[name].pairs)}."
    show.figure(pair_figure(name), pair_caption(name), alt, name=f"pairs-{name}")

# %% tags=["hide-input"]
ALL = PAIR | {"steiger_p": "Steiger p", "meng_p": "Meng p", "williams_p_holm": "Williams p, Holm"}
for name in speaking:
    own = found[name].pairs.query("relation == 'own teacher'")
    if own.empty:
        show.say("In {study} no student stands beside its own teacher.", study=name)
        continue
    show.table(
        own,
        f"Students against their own teacher in {name}. Holm's correction is over the pairs of this table.",
        labels=ALL,
        intervals={"difference": ("zou_low", "zou_high")},
        name=f"own-{name}",
    )

# %% [markdown]
# ## Pooled over pairs
#
# One number per study: the mean difference over pairs. Its interval comes from one bootstrap
# in which a resample of items serves all models at once, so the pairs may be as dependent as
# they like. Where a study has both kinds of pairs, a line *all* pools every pair, which is
# closest to the paper's comparison of group means. A pair in a task with fewer than 20 common
# items takes no part where others have more: its r says next to nothing.
#
# The verdict follows one rule for all studies.
#
# - **supported**: the whole interval lies above zero;
# - **not supported**: the whole interval lies below a smallest difference of interest;
# - **cannot tell**: anything else, and always with fewer than 20 items.
#
# Where an end lies so close to a limit that another seed could change the verdict, it is *on
# the edge*. The verdicts are not corrected for their number: among twenty, one may well be
# wrong. Look for those that agree with their neighbours.

# %% tags=["hide-input"]
show.say(
    "The smallest difference of interest is {smallest:.2f}, a third of the paper's drop.", smallest=SMALLEST
)

# %% tags=["hide-input"]
pooled = (
    pd.concat([found[name].pooled for name in speaking], ignore_index=True) if speaking else pd.DataFrame()
)
POOLED = {"study": "study", "relation": "pairs with", "difference": "difference [95 %]", "verdict": "verdict", "on_edge": "on the edge",
              "n_pairs": "pairs", "n_items": "items", "r_a": "r teachers", "r_b": "r students"}  # fmt: skip
if speaking:
    show.table(
        pooled,
        "Teacher minus student, pooled over pairs; intervals from the item bootstrap.",
        labels=POOLED,
        digits={"difference": 3, "low": 3, "high": 3},
        intervals={"difference": ("low", "high")},
        name="pooled",
    )

# %% tags=["hide-input"]
for name in speaking:
    measure = studies[name].measure
    show.say("**{study}** (difficulty: {measure})", study=name, measure=measure)
    for sentence in found[name].pooled["sentence"]:
        show.say("- {sentence}", sentence=sentence)

# %% tags=["hide-input"]
for name in silent:
    show.say("{sentence}", sentence=no_data(COLLAPSE, name, "it has no student beside its teacher"))

# %% [markdown]
# ## Means of teachers and students
#
# The paper prints means over models and tasks. Here are ours, with their item-bootstrap
# intervals. Compare them with 0.64 and 0.34, and with the ceiling where there is one.

# %%
means = pd.concat(
    [mean_alignment(joined[name], roles, n_boot=size.n_boot, seed=seed) for name in names], ignore_index=True
)
ceilings = (
    pd.concat([studies[name].reliability for name in names]).groupby("study")["reliability"].mean() ** 0.5
)
means["ceiling"] = means["study"].map(ceilings)

# %% tags=["hide-input"]
MEANS = {"study": "study", "group": "role", "n_models": "models", "mean_r": "mean r [95 %]",
         "mean_r_fisher": "through Fisher's z", "ceiling": "ceiling"}  # fmt: skip
show.table(
    means,
    "Mean alignment by role.",
    labels=MEANS,
    intervals={"mean_r": ("low", "high")},
    note="A reinforced student learned from traces and was then reinforced: no teacher, no student.",
    name="means",
)

# %% [markdown]
# ## The paper's own test
#
# From the numbers that are quoted for the paper, its test was most likely an unpaired t test
# over model × task correlations. Each correlation counts as one independent observation.

# %%
aligned = pd.concat([align(joined[name], n_boot=100, seed=seed) for name in names], ignore_index=True)
unpaired = unpaired_cells(aligned, roles, "teacher", "student")
cells = aligned[aligned["model"].map(roles).isin(["teacher", "student"])].dropna(subset=["r"])
small = cells[~cells["n"].groupby(cells["study"]).transform(enough)]
named = "; ".join(f"{one.model} in {one.task} of {one.study} ({one.n} items)" for one in small.itertuples())

# %% tags=["hide-input"]
CELLS = {"study": "study", "n_a": "teacher cells", "n_b": "student cells",
         "difference": "difference [95 %]", "t": "t", "df": "df", "p": "p"}  # fmt: skip
tested = unpaired["study"].tolist() if len(unpaired) else []
untested = ", ".join(name for name in names if name not in tested)
lost = (
    f"Left out is what has fewer than {FEWEST} items where others have more: {named or 'nothing here'}. "
    + (f"No test, with fewer than two cells on a side: {untested}." if untested else "")
).strip()

# %% tags=["hide-input"]
if unpaired.empty:
    show.say(
        "No study chosen has two cells or more on each side, so there is no such test. {lost}", lost=lost
    )
else:
    show.table(
        unpaired,
        "The unpaired t test over model × task correlations. Its degrees of freedom are too many.",
        labels=CELLS,
        digits={"df": 0},
        intervals={"difference": ("low", "high")},
        note=f"A cell is the correlation of one model in one task. {lost}",
        name="unpaired",
    )

# %% [markdown]
# The degrees of freedom are overstated for two reasons. All correlations of a task share the
# same people and the same items: if the human times of that task are noisy, all of them
# suffer together. And models of one family share data and weights, so ten of them are not
# ten independent witnesses. The test also throws away what it could use: that teacher and
# student were measured on the same items. It may thus err in either direction. The item
# bootstrap has neither fault, but its inference is about *these* models on new items. To
# speak about new models one needs more families than anybody has recorded.
#
# ## How many items would it take?
#
# *Cannot tell* means little unless we know what a study was able to tell. So let us turn the
# question round. Suppose that the drop is real, and as large as the paper's. How many items
# does a lab need to see it?
#
# Four things decide.
#
# - **The two correlations, as observed.** The noise of the norms is in them. An observed r
#   is the true one times the ceiling, so poor norms shrink the drop together with the r.
# - **The correlation of the two models with each other.** Models that resemble each other
#   are lucky on the same items, and luck that is shared cancels.
# - **The number of items.**
# - **The number of pairs**, and how alike the pairs are.
#
# For one pair, the sampling variance of the difference is known for large $n$. Let $c$ be the covariance
# of the two correlations, times $n - 1$; it grows with $r_{ab}$. Then
#
# $$ (n-1)\,\mathrm{Var}(r_{ah} - r_{bh}) \approx (1-r_{ah}^2)^2 + (1-r_{bh}^2)^2 - 2c. $$
#
# The table asks for
# two things: items to *see* the paper's drop, and items to *rule out* a drop where there is
# none, each with a probability of 80 %.

# %%
rule = dict(smallest=SMALLEST, fewest=FEWEST)
between = (0.0, 0.2, 0.4, 0.6, 0.8)
needed = items_table(*PAPER, between, **rule)

# %% tags=["hide-input"]
show.table(
    needed,
    f"Items needed with one pair of models, to see a drop from {PAPER[0]} to {PAPER[1]}, and to rule out one of "
    f"{SMALLEST:.2f} where both have an r of {sum(PAPER) / 2:.2f}.",
    labels={"r_ab": "r of the two models", "items_to_see": "items to see the drop",
            "items_to_rule_out": "items to rule one out"},
    name="needed",
)  # fmt: skip

# %% tags=["hide-input"]
middle = needed.query("r_ab == 0.6").iloc[0]
show.say(
    "If the two models correlate at {r}, a lab needs {see} items to see the drop, and {out} to say that there is none. "
    "The second is {times:.0f} times the first. To show that something is absent is always the dearer task.",
    r=middle["r_ab"], see=middle["items_to_see"], out=middle["items_to_rule_out"],
    times=middle["items_to_rule_out"] / middle["items_to_see"],
)  # fmt: skip

# %% [markdown]
# A formula for large $n$ need not hold for small $n$, nor for our rule, which goes by the
# item bootstrap. So we draw studies again, bootstrap each of them, and look how often the
# interval excludes zero.

# %%
could = pd.concat(
    [detectable(joined[name], lineage, studies[name].reliability) for name in names], ignore_index=True
)
could = could[could["claim"] == "collapse"]
grid = np.unique(np.geomspace(FEWEST, 1_000, 40).round().astype(int))
curves = power_table(*PAPER, between, grid, **rule)
drawn = power_table(*PAPER, (0.2, 0.6), (25, 50, 100), **rule, n_studies=size.n_studies, seed=seed)

# %% tags=["hide-input"]
marks = could.drop_duplicates("study")[["study", "n_items"]]
fig = figures_power.power_curves(pd.concat([curves, drawn]), studies=marks)
at_50 = curves[curves["n_items"] == grid[grid >= 50][0]].set_index("r_ab")["power"]
caption = (
    f"With about 50 items and one pair, a drop from {PAPER[0]} to {PAPER[1]} is seen in {100 * at_50[0.0]:.0f} % "
    f"of studies if the models have nothing in common, and in {100 * at_50[0.8]:.0f} % if they correlate at 0.8. "
    f"Lines: formula. Markers: {size.n_studies:,} simulated studies with their 95 % interval. Upright dashed "
    "lines: the items of the recorded studies."
)
alt = "Five rising curves of power against the number of items, one per correlation between models."
show.figure(fig, caption, alt, name="power")

# %% [markdown]
# ### Better norms
#
# The paper's numbers are observed ones; the ceilings behind them are not known to us. To see
# what a ceiling does, take 0.64 and 0.34 for the *true* correlations, and let norms of
# different quality show them.

# %%
ceilings_tried = (1.0, 0.9, 0.8, 0.7, 0.6)
noisy = pd.concat([items_table(*PAPER, (0.6,), ceiling=one, true=True, **rule) for one in ceilings_tried])

# %% tags=["hide-input"]
show.table(
    noisy,
    "What the noise of the norms costs: items needed where the true correlations are the paper's.",
    labels={"ceiling": "ceiling", "r_a": "r observed, teacher", "r_b": "r observed, student",
            "items_to_see": "items to see the drop", "items_to_rule_out": "items to rule one out"},
    note="The two models correlate at 0.6, which the noise of the norms doesn't touch.",
    name="noise",
)  # fmt: skip

# %% [markdown]
# ### More models
#
# Six students do not make six studies. They answer the same items, and the same people were
# timed. A mean over pairs averages away only what the pairs do *not* share. What they share
# is a floor, and only items lower it. The floor is higher where one teacher serves all pairs.

# %%
counts = (1, 2, 6, np.inf)
several = pd.concat([items_table(*PAPER, (0.4,), counts, one_teacher=one, **rule) for one in (False, True)])
several["teachers"] = np.where(several["one_teacher"], "one for all", "one for each")

# %% tags=["hide-input"]
show.table(
    several,
    "Items needed by the number of pairs. The last line of each kind is the floor.",
    labels={"teachers": "teachers", "n_pairs": "pairs", "variance": "variance × (n − 1)",
            "items_to_see": "items to see the drop", "items_to_rule_out": "items to rule one out"},
    digits={"n_pairs": 0},
    note=f"Models of a pair correlate at 0.4, and models of different pairs are as alike once difficulty for people is held "
    f"constant. Fewer than {FEWEST} items are never named: the rule doesn't decide with fewer.",
    name="pairs",
)  # fmt: skip

# %% [markdown]
# ### What the recorded studies could have seen
#
# Now the same for the studies above: their items, their pairs, and how alike their models
# are. The difference that they found does not enter. The *smallest drop* is the one that the
# rule would call *supported* with a probability of 80 %.

# %% tags=["hide-input"]
widths = (
    pooled.assign(bootstrap=(pooled["high"] - pooled["low"]) / 2)[["study", "relation", "bootstrap"]]
    if speaking
    else pd.DataFrame(columns=["study", "relation", "bootstrap"])
)
could = could.merge(widths, on=["study", "relation"], how="left")

# %% tags=["hide-input"]
COULD = {"study": "study", "relation": "pairs with", "n_pairs": "pairs", "n_items": "items", "ceiling": "ceiling",
         "between": "r of the two", "alike_b": "students alike", "smallest_drop": "smallest drop",
         "power_for_paper": "power for the paper's drop", "half_width": "half-width, formula",
         "bootstrap": "half-width, bootstrap", "note": "note"}  # fmt: skip
if len(could):
    show.table(
        could,
        "What each comparison could have seen.",
        labels=COULD,
        digits={"half_width": 3, "bootstrap": 3},
        note="Students alike: the mean correlation of two students of different pairs once difficulty for people is held "
        "constant. Half-width: half of a 95 % interval.",
        name="could",
    )

# %% tags=["hide-input"]
for row in could.drop_duplicates("study").itertuples():
    show.say(
        "- **{study}** ({relation}): with {n} items, it could have seen a drop of {drop:.2f}.",
        study=row.study, relation=row.relation, n=row.n_items, drop=row.smallest_drop,
    )  # fmt: skip
if len(could):
    ratio = could["half_width"] / could["bootstrap"]
    show.say(
        "The half-width by formula is {low:.2f} to {high:.2f} times that of the bootstrap, {typical:.2f} times in the "
        "middle of these comparisons.",
        low=ratio.min(), high=ratio.max(), typical=ratio.median(),
    )  # fmt: skip

# %% tags=["hide-input"]
able = could["power_for_paper"].dropna()
if len(able):
    show.say(
        "For {n} of these comparisons the paper's drop can be asked about, and {able} of them would have seen it with a "
        "probability of 80 % or more.",
        n=len(able), able=int((able >= 0.8).sum()),
    )  # fmt: skip

# %% tags=["hide-input"]
if speaking:
    drop = PAPER[0] - PAPER[1]
    inside = pooled[(pooled["low"] <= drop) & (pooled["high"] >= drop)]
    kept = "; ".join(inside["study"] + " (" + inside["relation"] + ")") or "none"
    show.say(
        "What they did see is said by the intervals. A drop of {drop:.2f}, the paper's, lies above the whole interval of the "
        "pooled difference in {above} of {n} comparisons, below it in {below}, and inside it in {inside}: {kept}.",
        drop=drop, n=len(pooled), inside=len(inside), kept=kept,
        above=int((pooled["high"] < drop).sum()), below=int((pooled["low"] > drop).sum()),
    )  # fmt: skip

# %% [markdown]
# An interval that excludes the paper's drop excludes it as *observed*. Where the norms are noisy, a
# drop of that size in the true correlations would show as a smaller one.
#
# The formula takes the data for normal, which levels and counts of steps are not, and a task
# with a handful of items is beyond both the formula and the bootstrap. Where the two widths
# differ by much, take the smallest drop for a rough guess.
#
# `handan power` prints these tables for any two correlations, number of pairs and ceiling.
#
# ## What these data can't say
#
# - **The teachers are not only reinforced.** DeepSeek-R1 is far larger than its
#   largest student, has another base, and was itself fine-tuned between two rounds of
#   reinforcement. A difference between it and its students has several possible causes.
# - **Human time is rare.** Only one of these studies has teachers, students and human times,
#   and these are minutes that people reported themselves, with a low ceiling. Elsewhere difficulty is a level, a count of steps, or a judgement.
# - **Cannot tell is not no.** With about 50 items a small drop is easily missed, as the
#   simulation above shows. What a study could have seen is an estimate, too: it takes the
#   likeness of its models from the same items.
# - **One sample per item, mostly.** Only `gpqa-minutes` asked most questions more than once. Sampling
#   noise lowers all correlations, perhaps not equally.

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %%
import seaborn as sns

from handan.costs import load_study
from handan.findings.verdict import verdict
from handan.stats.dependent import compare_overlapping

# %% [markdown] tags=["exercise"]
# ### Exercise 5.1: No difference, or no idea? (8 minutes)
#
# Five labs compared teachers with students. For each you have the number of items and the ends of the
# interval of teacher minus student. The smallest difference of interest is that of this chapter.
#
# In which labs is collapse *not supported*, that is: ruled out by the rule of the chapter? Put their
# letters into `ruled_out`, as a list.

# %% tags=["solution"]
labs = pd.DataFrame(
    {"lab": list("ABCDE"), "items": [400, 60, 900, 12, 150], "low": [-0.04, -0.11, 0.02, -0.09, -0.15],
     "high": [0.06, 0.31, 0.08, 0.05, -0.03]}
).set_index("lab")  # fmt: skip
### BEGIN SOLUTION
# To rule a difference out, even the upper end must lie below the smallest that we care about. An
# interval that merely includes zero may include large differences as well: B knows nothing. C finds a
# difference, though a small one. D has too few items for any verdict. E went the other way.
judged = labs.apply(lambda one: verdict(one["low"], one["high"]), axis=1).mask(
    labs["items"] < FEWEST, "cannot tell"
)
ruled_out = judged.index[judged == "not supported"].tolist()
### END SOLUTION

# %% tags=["key"]
zero = labs.index[(labs["low"] < 0) & (labs["high"] > 0)].tolist()
below, above, enough = labs["high"] < SMALLEST, labs["low"] > 0, labs["items"] >= FEWEST
mistakes = {
    "An interval that includes zero may include a large difference, too. Absence of evidence is no evidence of absence.": zero,
    "One of these has so few items that the rule gives no verdict.": labs.index[below & ~above].tolist(),
    "In one of these the whole interval lies above zero. What does the rule say then?": labs.index[below & enough].tolist(),
    "If the whole interval lies below zero, students are ahead. Is collapse then still possible?": [one for one in ruled_out if one in zero],
    "Those are the labs where the rule says: cannot tell.": judged.index[judged == "cannot tell"].tolist(),
    "Must the interval lie below zero, or below the smallest difference of interest?": labs.index[(labs["high"] < 0) & enough].tolist(),
}  # fmt: skip
hint = (
    "Go through the three lines of the rule, lab by lab. Look at the upper end, and at the number of items."
)
key("5.1", ruled_out, hint=hint, wrong=mistakes)

# %% [markdown] tags=["exercise"]
# ### Exercise 5.2: Luck that is shared (8 minutes)
#
# On 50 items a teacher reaches r = 0.6 and its student r = 0.4. Is that a difference? It depends on
# how the two models correlate with each other. Try all values in `between_models`.
# From which one on is Williams' two-sided p below .05? Put it into `first`. The function
# `compare_overlapping(r_a, r_b, r_ab, n)` computes it as `williams_p`.

# %% tags=["solution"]
between_models = np.arange(0, 19) / 20
### BEGIN SOLUTION
p_williams = compare_overlapping(0.6, 0.4, between_models, 50).williams_p
# Models that are lucky on the same items have correlations that err together. The difference
# then errs less, so the same gap becomes visible.
first = between_models[p_williams < 0.05].min()
### END SOLUTION

# %% tags=["key"]
p_twice = compare_overlapping(0.6, 0.4, between_models, 100).williams_p
mistakes = {
    "Is that a one-sided test? Use the two-sided p.": between_models[p_williams < 0.1].min(),
    "Two models on 50 items are not 100 items: they share them.": between_models[p_twice < 0.05].min(),
    "That is the last value at which p is still above .05.": between_models[p_williams >= 0.05].max(),
    "At that value p is below .01. The question is about .05.": between_models[p_williams < 0.01].min(),
    "That is its place in the row. Put the correlation itself.": float(np.argmax(p_williams < 0.05)),
}
hint = "`compare_overlapping(r_a, r_b, r_ab, n)` takes all values of r_ab at once. Look at its `williams_p`."
key("5.2", first, hint=hint, wrong=mistakes)

# %% [markdown] tags=["exercise"]
# ### Exercise 5.3: Draw the items once, or twice? (15 minutes)
#
# Write the item bootstrap for one pair: QwQ-32B minus DeepSeek-R1-Distill-Qwen-32B in `mip-math`. The
# cell makes 4,000 draws of the items with replacement, and does so twice. A row of `once`, or of
# `twice`, is one draw: row numbers of `trio`, whose columns are people, teacher and student.
#
# For each draw, compute both correlations with people, and their difference. You may need one set of
# draws or both. Put the standard deviation of the differences, which is their standard error, into
# `error`, with three decimals or more. Then do it the other way, and draw a histogram of both.

# %% tags=["solution"]
mip = load_study("mip-math")
(_, _, wide), *_ = join(mip.costs, mip.norms).tasks()
trio = wide[["human", "QwQ-32B", "DeepSeek-R1-Distill-Qwen-32B"]].to_numpy(float)
once, twice = np.random.default_rng(0).integers(len(trio), size=(2, 4_000, len(trio)))
### BEGIN SOLUTION
# Row 0 of the matrix: people with the teacher, and with the student.
r_once = np.array([np.corrcoef(trio[draw], rowvar=False)[0, 1:] for draw in once])
r_twice = np.array([np.corrcoef(trio[draw], rowvar=False)[0, 1:] for draw in twice])
# Both models answered the same items, so one draw of items must serve both.
shared, apart = r_once[:, 0] - r_once[:, 1], r_once[:, 0] - r_twice[:, 1]
error = shared.std()
plot = sns.displot(
    {"one draw for both": shared, "a draw for each": apart}, element="step", height=3, aspect=1.6
)
plot.set_axis_labels("difference of r", "draws")
show.figure(plot.figure, "Differences with the items drawn in two ways.", "Two histograms with one centre.")
### END SOLUTION

# %% tags=["key"]
width = np.diff(np.quantile(shared, [0.025, 0.975]))[0]
mistakes = {
    "Do the two models have other items in your draws? They answered the same ones.": apart.std(),
    "Is that half the width of a 95 % interval? The standard error is the standard deviation of the differences.": width / 2,
    "That is Fisher's error for independent samples. These models share their items.": np.sqrt(2 / (len(trio) - 3)),
    "Is that the error of one correlation? The question is about the difference of two.": r_once[:, 0].std(),
    "Is that the variance? Take its root.": shared.var(),
    "The deviation over draws is the standard error already. Do not divide it by the root of their number.":
        shared.std() / np.sqrt(len(shared)),
}  # fmt: skip
hint = "Both models answered the same items. Use the same draw for both, and take the standard deviation over draws."
key("5.3", error, hint=hint, wrong=mistakes, digits=3, points=2)
