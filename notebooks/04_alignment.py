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
# # Alignment: do tokens follow human time?
#
# **After this chapter you can**
#
# - compute the alignment of a model with people, with two kinds of interval;
# - read a correlation beside its noise ceiling;
# - reproduce the within-task and cross-task correlations of DeepSeek-R1;
# - say what prompt length does to such a correlation.
#
# **Time:** 25 minutes to read, under a minute to run.
#
# *Alignment* is one number for one model and one task: the Pearson correlation, over items,
# of the log of the model's reasoning tokens with the log of the mean human response time.
# Logs, because both quantities are positive and skewed, and because a ratio is what we
# want to compare: twice the time against twice the tokens.
#
# Where nobody was timed, a weaker measure of difficulty takes the place of log time. The
# tables say so.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer resamples
study = "all"  # or the name of one study
seed = 0

# %%
from dataclasses import replace

import pandas as pd

from handan import costs, figures, profiles
from handan.book import show
from handan.findings.across import cross_task
from handan.findings.alignment import align, mean_alignment
from handan.findings.join import join
from handan.lineage import OTHER_SETTINGS, roles_of

size = profiles.profile(profile)
names = costs.studies() if study == "all" else [study]
studies = {name: costs.load_study(name) for name in names}
joined = {name: join(one.costs, one.norms) for name, one in studies.items()}

# %%
aligned = pd.concat(
    [align(joined[name], studies[name].reliability, n_boot=size.n_boot, seed=seed) for name in names],
    ignore_index=True,
)
aligned["role"] = aligned["model"].map(roles_of(aligned["model"].unique()))

# %% [markdown]
# ## The teacher: DeepSeek-R1 on six tasks
#
# The study behind our paper (de Varda and colleagues, 2025) compared DeepSeek-R1 with people
# on reasoning tasks. Their numbers below are digitised: they were read off the coordinates of
# a published figure. The points are exact to the token and to a small fraction of a
# millisecond. We do not know which problem a point stands for. The study had seven tasks. The seventh,
# intuitive reasoning, is not in the figure. One task is called *logic (ALE)* there; what the letters
# stand for is not said.

# %% tags=["hide-input"]
TITLES = {
    "arithmetic-numeric": "arithmetic, digits",
    "arithmetic-verbal": "arithmetic, words",
    "syllogisms": "syllogisms",
    "logic-ale": "logic (ALE)",
    "relational": "relational reasoning",
    "h-arc": "ARC grids",
}
r1 = aligned[aligned["study"] == "pnas-r1"].set_index("task")
titles = {task: f"{TITLES[task]}, r = {r1.at[task, 'r']:.2f}" for task in TITLES if task in r1.index}

# %% tags=["hide-input"]
if titles:
    fig = figures.cost_against_people(
        joined["pnas-r1"].rows, xlabel="mean human response time (s, log scale)", seconds=True, titles=titles
    )
    caption = (
        "Where people need longer, DeepSeek-R1 writes more, in all six tasks: "
        f"most closely in {TITLES[r1['r'].idxmax()]}, least in {TITLES[r1['r'].idxmin()]}. "
        "A point is an item; the axes differ between panels."
    )
    alt = "Six scatter plots of reasoning tokens against human response time, each with a rising line."
    show.figure(fig, caption, alt, name="teacher")

# %% tags=["hide-input"]
HEADS = {"task": "task", "model": "model", "n": "items", "r": "r [Fisher interval]",
         "boot_low": "bootstrap low", "boot_high": "high", "spearman": "Spearman", "p": "p", "bf10": "BF10"}  # fmt: skip
if "pnas-r1" in names:
    show.table(
        r1.reset_index().replace({"task": TITLES}),
        "DeepSeek-R1 against human response time. Both intervals are 95 %. "
        "No ceiling can be given: the figure has one mean per item.",
        digits={"r": 3, "spearman": 3, "bf10": 1},
        labels=HEADS,
        intervals={"r": ("r_low", "r_high")},
        name="teacher-table",
    )

# %% [markdown]
# Two intervals stand beside each r. The *Fisher interval* assumes that both variables are
# normal. The *bootstrap interval* draws the items again, with replacement, thousands of
# times, and assumes only that the items are a sample of possible items. Where they disagree,
# as for syllogisms, a few items carry much of the correlation.
#
# From few items, draws scatter too little, and the plain interval of their middle 95 % is too short. We take a
# little more than 95 % of the draws, by a formula of
# [Hesterberg (2015)](https://doi.org/10.1080/00031305.2015.1089789): it makes the interval of a mean as long as the
# usual one, by the *t* distribution. With hundreds of items the difference vanishes.
#
# BF10 is the Bayes factor: how many times more likely the data are if there is a correlation
# than if there is none.

# %%
if "pnas-r1" in names:
    average = mean_alignment(joined["pnas-r1"], n_boot=size.n_boot, seed=seed).iloc[0]
    show.say(
        "Averaged over the {n} tasks, r is {mean:.2f} (95 % interval {low:.2f} to {high:.2f}, items drawn again "
        "within each task). Averaged through Fisher's z it is {fisher:.2f}. The paper's mean for teachers, over "
        "models and tasks whose list we did not find, is {paper:.2f}; it does not say which average it used.",
        n=average["n_cells"], mean=average["mean_r"], low=average["low"], high=average["high"],
        fisher=average["mean_r_fisher"], paper=0.64,
    )  # fmt: skip

# %% [markdown]
# ## Across tasks
#
# Within a task, items differ a little. Between tasks they differ a lot: single additions take
# people seconds, ARC grids take minutes. The published figure shows this by pooling: draw 20
# items from each task, pool the 120 points, correlate, and repeat 50 times. The draws can be
# made again exactly, because the seed of a draw is its number.

# %%
if "pnas-r1" in names:
    pooled = cross_task(joined["pnas-r1"], task_rows=studies["pnas-r1"].task_rows).iloc[0]
    show.say(
        "Over 50 draws of {n} items the mean cross-task r is {r:.3f}; single draws lie between {low:.2f} and "
        "{high:.2f}. The published figure prints {printed:.2f}.",
        n=pooled["n_items"], r=pooled["mean_r"], low=pooled["min_r"], high=pooled["max_r"], printed=0.94,
    )  # fmt: skip

# %% [markdown]
# Be careful with a cross-task correlation. It is high when tasks lie far apart on both axes. To
# see how much that alone does, give the model amnesia: let it spend the same on every item of a
# task, namely its mean there.

# %%
if "pnas-r1" in names:
    rows = joined["pnas-r1"].rows
    flat = rows.assign(log_cost=rows.groupby("task")["log_cost"].transform("mean"))
    blind = cross_task(replace(joined["pnas-r1"], rows=flat), task_rows=studies["pnas-r1"].task_rows).iloc[0]
    show.say(
        "A model that knows the task but not the item reaches {blind:.3f}, against {r:.3f} for the real one: "
        "the cross-task correlation is mostly about tasks.",
        blind=blind["mean_r"], r=pooled["mean_r"],
    )  # fmt: skip

# %% [markdown]
# The within-task correlations are the stronger test, and the rest of this book uses them.
#
# ## Other models, other measures
#
# The other studies have more than one model. Now the ceiling appears, where it is known. The
# *noise ceiling* is the square root of the reliability of the human measure: the highest r
# that even an error-free predictor could be expected to reach. (In `pm-bench` nobody was measured; there the
# ceiling comes from the agreement of language models as judges.) `r / ceiling` is the share of
# the possible that was reached.

# %% tags=["hide-input"]
MORE = {"model": "model", "task": "task", "role": "role", "n": "items", "r": "r [Fisher interval]", "spearman": "Spearman",
        "partial_r": "partial r", "ceiling": "ceiling", "r_over_ceiling": "r / ceiling",
        "percent": "% cut", "p": "p"}  # fmt: skip
others = [name for name in names if aligned.loc[aligned["study"] == name, "model"].nunique() > 1]


def remarks(part):
    told = ["Partial r: with the length of the prompt held constant. % cut: traces cut at the limit."]
    if "reinforced-student" in set(part["role"]):
        told.append(
            "A reinforced student learned from traces and was then reinforced: no teacher, no student."
        )
    runs = list(dict.fromkeys(part.loc[part["role"] == OTHER_SETTINGS, "model"]))
    if runs:
        which = f"{' and '.join(runs)} are runs of {runs[0].split('@')[0]} under other settings"
        told.append(f"{which}. They are in no comparison of teachers, students and baselines.")
    return " ".join(told)


# %% tags=["hide-input"]
for name in others:
    part = aligned[aligned["study"] == name].sort_values("r", ascending=False)
    show.table(
        part.assign(percent=100 * part["truncated"]),
        f"Alignment in {name} with: {studies[name].measure}.",
        labels=MORE,
        digits={"percent": 1},
        intervals={"r": ("r_low", "r_high")},
        note=remarks(part),
        name=f"table-{name}",
    )


# %% tags=["hide-input"]
def forest(name, part):
    several = part["task"].nunique() > 1
    return figures.intervals(
        part.assign(label=part["model"] + (", " + part["task"] if several else "")),
        value="r", low="boot_low", high="boot_high", label="label", group="role", ceiling="ceiling", xlabel=f"r of log cost with {studies[name].measure}",
    )  # fmt: skip


# %% tags=["hide-input"]
for name in others:
    part = aligned[aligned["study"] == name].sort_values("r", ascending=False)
    best, worst = part.iloc[0], part.iloc[-1]
    caption = (
        f"Alignment in {name}: from {best['model']} (r = {best['r']:.2f}) down to {worst['model']} "
        f"(r = {worst['r']:.2f}). Bars are 95 % item-bootstrap intervals."
    )
    alt = f"Correlations of {len(part)} models in {name} with intervals, sorted, coloured by role."
    show.figure(forest(name, part), caption, alt, name=f"forest-{name}")

# %% [markdown]
# Overlapping bars do not mean that two models are equal. All models answered the same items,
# so their errors go together, and a *difference* can be far better known than either value.
# The next chapter uses this.
#
# ## Prompt length
#
# Long questions take people longer to read, and they make models write more. A correlation
# can come from reading alone. The column *partial r* holds the length of the prompt constant.

# %% tags=["hide-input"]
partial = aligned[aligned["partial_r"].notna()]
change = (partial["r"] - partial["partial_r"]).groupby(partial["study"], sort=False).mean()
for name, drop in change.items():
    show.say(
        "In {study} holding prompt length constant changes r by {drop:+.2f} on average.",
        study=name,
        drop=-drop,
    )
unknown = [name for name in names if name not in change.index]
if unknown:
    show.say("For {studies} the length of the prompts is not known.", studies=unknown)

# %% [markdown]
# ## What these data can't say
#
# - **They are not the paper's data.** We found neither the paper's traces nor the list of its
#   models. It very likely used the corpus from which the six tasks above come (*inferred*).
# - **The identity of the items is lost** in `pnas-r1`. Nobody can run another model on them.
# - **Most ceilings are unknown.** Without repeated human measures, an r of 0.4 may be a weak
#   model or a noisy norm.
# - **Correlation is not mechanism.** Tokens and times may both follow a third thing, such as
#   the number of steps that any method needs. The exchange of letters in PNAS is about this.

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %%
import numpy as np
import seaborn as sns

from handan.costs import load_study

# %% [markdown] tags=["exercise"]
# ### Exercise 4.1: Alignment by hand (8 minutes)
#
# Compute the alignment of QwQ-32B in `gpqa-minutes` from its rows, without `align`. Remember what it
# is: a correlation *over items*, of logs. Most questions have several samples, and the cost of a
# question is the mean of their logs. Put the correlation into `r_hand`, with three decimals or more.

# %% tags=["solution"]
gpqa = load_study("gpqa-minutes")
answers = gpqa.costs.query("model == 'QwQ-32B'").merge(gpqa.norms[["item", "log_rt"]], on="item")
answers = answers[["item", "reasoning_tokens", "log_rt"]].astype({"reasoning_tokens": float})
### BEGIN SOLUTION
# First a value per item: a question with three samples must not count three times.
per_item = answers.assign(log_cost=np.log(answers["reasoning_tokens"])).groupby("item").mean()
r_hand = per_item["log_cost"].corr(per_item["log_rt"])
### END SOLUTION

# %% tags=["key"]
raw = per_item["reasoning_tokens"]
mistakes = {
    "Did you forget to take the log of the tokens?": raw.corr(per_item["log_rt"]),
    "Are these the raw numbers, on both sides? Alignment is about ratios.": raw.corr(np.exp(per_item["log_rt"])),
    "Every row counts once there. A correlation over items has one value per item.":
        np.log(answers["reasoning_tokens"]).corr(answers["log_rt"]),
    "That is the log of the mean. Take the mean of the logs, so that one long sample does not rule.":
        np.log(raw).corr(per_item["log_rt"]),
    "The norms are logs already (`log_rt`). Did you undo that?": per_item["log_cost"].corr(np.exp(per_item["log_rt"])),
    "That is Spearman's correlation, of ranks. Alignment is Pearson's.":
        per_item["log_cost"].corr(per_item["log_rt"], method="spearman"),
    "Did you round it? Give three decimals or more.": round(r_hand, 2),
}  # fmt: skip
hint = "Take the log of every count, average per item, then correlate with `log_rt`."
key("4.1", r_hand, hint=hint, wrong=mistakes, digits=3)

# %% [markdown] tags=["exercise"]
# ### Exercise 4.2: What is left of the cross-task correlation? (12 minutes)
#
# The chapter gave the model amnesia for items. Do the opposite: take away what it knows about
# *tasks*. In `pnas-r1`, subtract the mean of each task from its log costs, and from its human values,
# too. Then pool all items of the six tasks and correlate. Put the correlation into `r_within`, with three
# decimals or more.
#
# Draw the pooled points, coloured by task, with the log cost on the upright axis.

# %% tags=["solution"]
six = load_study("pnas-r1")
points = join(six.costs, six.norms).rows[["task", "item", "log_cost", "human"]]
### BEGIN SOLUTION
# On both sides: otherwise the differences between tasks stay in one variable as noise.
means = points.groupby("task")[["log_cost", "human"]].transform("mean")
centred = points.assign(**(points[["log_cost", "human"]] - means))
r_within = centred["log_cost"].corr(centred["human"])
plot = sns.relplot(centred, x="human", y="log_cost", hue="task", s=14, height=3.6, aspect=1.4)
plot.set_axis_labels("response time beside the task's mean (ln s)", "cost beside the task's mean (ln tokens)")
show.figure(
    plot.figure,
    "Items of six tasks after each task's mean is taken away. A dot is an item.",
    "A single cloud of points around zero, in six colours, that rises to the right.",
)
# It is not the mean of the six correlations: every item counts, so the largest task counts most.
### END SOLUTION

# %% tags=["key"]
mistakes = {
    "The tasks are still in there. Did you subtract their means?": points["log_cost"].corr(points["human"]),
    "Only the costs are centred within tasks. Centre both.": centred["log_cost"].corr(points["human"]),
    "Only the human values are centred within tasks. Centre both.": points["log_cost"].corr(centred["human"]),
    "You also divided by the standard deviation. Only subtract the mean.":
        (centred.set_index("task")[["log_cost", "human"]] / points.groupby("task")[["log_cost", "human"]].std()).corr().iloc[0, 1],
    "That is the mean of the six correlations within tasks. Pool the points instead.":
        points.groupby("task")[["log_cost", "human"]].apply(lambda part: part.corr().iloc[0, 1]).mean(),
    "That correlates the means of the tasks, which is the opposite.":
        points.groupby("task")[["log_cost", "human"]].mean().corr().iloc[0, 1],
}  # fmt: skip
hint = "`groupby('task').transform('mean')` gives each row the mean of its task."
key("4.2", r_within, hint=hint, wrong=mistakes, digits=3)

# %% [markdown] tags=["exercise"]
# ### Exercise 4.3: One item too many (12 minutes)
#
# For syllogisms in `pnas-r1` the two intervals disagree: a few items carry much of the correlation.
# Leave out each item in turn. Which single item moves r most when it is gone? Put the r *without it*
# into `r_without`.

# %% tags=["solution"]
six = load_study("pnas-r1")
forms = join(six.costs, six.norms).rows.query("task == 'syllogisms'").set_index("item")[["log_cost", "human"]]
### BEGIN SOLUTION
r_all = forms["log_cost"].corr(forms["human"])
# Influence is how far out an item is and how far off the line, both together. No axis alone names it.
left = pd.Series({one: forms.drop(one).corr().iloc[0, 1] for one in forms.index})
most = (left - r_all).abs().idxmax()
r_without = left[most]
# A bootstrap sample has this item not at all, once, or several times: hence its wide interval.
### END SOLUTION

# %% tags=["key"]
fitted = np.polyval(np.polyfit(forms["human"], forms["log_cost"], 1), forms["human"])
off_line = (forms["log_cost"] - fitted).abs().idxmax()
mistakes = {
    "That is r with all items.": r_all,
    "You left out the item on which people were slowest. Try the others, too.": left[forms["human"].idxmax()],
    "You left out the item furthest from the line. Another one moves r more.": left[off_line],
    "That is the change of r. The question is about r itself.": r_without - r_all,
    "That is the size of the change. The question is about r itself.": abs(r_without - r_all),
}
hint = "A loop over the items: drop one, correlate the rest, compare with r of all."
key("4.3", r_without, hint=hint, wrong=mistakes, points=2)
