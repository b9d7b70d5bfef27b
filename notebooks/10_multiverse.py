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
# # Multiverse: does the verdict depend on us?
#
# **After this chapter you can**
#
# - name the choices behind a difference of two correlations, and undo them one at a time;
# - read a specification curve, and say which choice matters most;
# - say what a joint test of all specifications adds, and what a multiverse can't say.
#
# **Time:** 30 minutes to read, about a minute to run.
#
# The last chapters gave verdicts. Each of them rests on choices. We took the log of the
# tokens, Pearson's r, all traces, right or wrong. Somebody else could have chosen otherwise,
# and could have defended it as well. This chapter makes those other choices.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer draws
study = "all"  # or the name of one study
seed = 0

# %%
import pandas as pd

from handan import figures_multiverse, formats, inputs, profiles
from handan.book import show
from handan.findings.confounds import changed, confounds
from handan.findings.multiverse import multiverse, not_run, ranked
from handan.findings.multiverse_tests import AGREEMENT
from handan.findings.specifications import CHOICES, CLAIMS
from handan.findings.wrong_answers import ALL, PEOPLE, wrong_answers
from handan.lineage import load_lineage

draws = min(profiles.profile(profile).n_boot, 2_000)
studies = inputs.recorded(None if study == "all" else [study], "reasoning_tokens")
lineage = load_lineage()

# %% [markdown]
# ## One choice at a time
#
# What else could make teacher and student differ? Six suspects are known from the literature.
#
# - **Prompt length.** A long question takes people longer to read, and may make a model write
#   more. We hold it constant in a partial r, or compare only items of similar length.
# - **Wrong answers.** A model that fails may stop early or go on and on. We keep right answers.
# - **Truncation and loops.** A trace that was cut, or that repeats itself, has a length that
#   says nothing about the item.
# - **The tokenizer.** Two models may cut the same text into different numbers of tokens.
#   Characters are the same for both.
# - **Scale.** On the raw scale a few very long traces decide the result.
# - **The coefficient.** Spearman's looks at the order of items alone.
#
# Each row below changes one of them, and keeps the rest as in the chapters before. The *reference* changes
# nothing: its result is the one that those chapters print, and as there a task in which a pair has too few
# items takes no part where others have more. What they call *all* is *every teacher*, or *every baseline*, here.
# Only the intervals differ. The other chapters draw the items again (bootstrap). Here each item is left out in
# turn (jackknife), because then all specifications can be tested together. The ends differ a little, so a
# verdict that hangs on one of them may differ, too.

# %%
changes = pd.concat([confounds(one, lineage) for one in studies], ignore_index=True)
reference = changes["choice"] == "reference"
moved = changed(changes)


# %% tags=["hide-input"]
def departures_of(study, claim):
    part = changes[(changes["study"] == study) & (changes["claim"] == claim)]
    every = part[part["relation"] == part["relation"].iloc[-1]]
    names = CLAIMS[claim]
    xlabel = f"mean r of {names.a} minus mean r of {names.b}"
    return every, figures_multiverse.departures(every, xlabel=xlabel)


# %% tags=["hide-input"]
compared = changes[reference & (changes["claim"] != "alignment")]
for name, claim in compared[["study", "claim"]].drop_duplicates().itertuples(index=False):
    every, fig = departures_of(name, claim)
    drawn = every[every["difference"].notna()]
    clear = int(((drawn["delta_low"] > 0) | (drawn["delta_high"] < 0)).sum())
    caption = (
        f"{claim.capitalize()} in {name} ({every['relation'].iloc[0]}): {clear} of {len(drawn) - 1} changes move the "
        f"result by more than chance; estimates run from {formats.number(drawn['difference'].min())} to "
        f"{formats.number(drawn['difference'].max())}. Grey: the interval of the reference."
    )
    alt = f"The difference under the reference and {len(drawn) - 1} departures in {name}, with intervals."
    show.figure(fig, caption, alt, name=f"departures-{name}-{claim}")

# %% tags=["hide-input"]
for row in changes[changes["choice"].isin(["truncation", "loops", "tokenizer"])].groupby("choice"):
    missing = row[1][row[1]["n_items"] == 0]
    show.say(
        "- **{choice}**: not available in {n} of {all} comparisons ({reasons}).",
        choice=row[0], n=len(missing), all=len(row[1]), reasons=sorted(set(missing["note"])),
    )  # fmt: skip

# %% [markdown]
# The next table lists the changes whose interval excludes zero. This interval belongs to
# the *change*, and both results come from the same items, so it can be narrow where the
# results themselves are uncertain. Claim *alignment* is r itself, for the models of a role.

# %% tags=["hide-input"]
MOVED = {"study": "study", "claim": "claim", "relation": "relation", "choice": "choice", "level": "level",
         "n_items": "items", "difference": "result [95 %]", "delta_from_reference": "change [95 %]"}  # fmt: skip
ends = {"difference": ("low", "high"), "delta_from_reference": ("delta_low", "delta_high")}
shown = moved.head(20)
if len(moved):
    show.table(
        shown, f"{len(moved)} of {int((~reference & changes['difference'].notna()).sum())} changes move a result "
        f"by more than chance; the {len(shown)} largest. Not corrected for their number.",
        labels=MOVED, intervals=ends, name="moved",
    )  # fmt: skip
else:
    show.say("No change moves a result by more than chance.")

# %% [markdown]
# ## Do wrong answers cost more?
#
# Hard items are failed more often, and they cost more. To see the error alone, the item must
# stay the same. arXiv:2606.26502 does this for the corpus of human times: its author reports
# that models spend *more* tokens within an item when they are wrong, and people spend less time.
#
# Our tables allow two comparisons within items: the same model asked twice, and several
# models on the same item. The third row type, *across items*, is not within items. It is
# there because it is all that can be had for people: one accuracy per item.

# %%
errors = pd.concat([wrong_answers(one, lineage) for one in studies], ignore_index=True)
known = errors[errors["ratio"].notna()]

# %% tags=["hide-input"]
WRONG = {"study": "study", "group": "who", "way": "compared", "n_items": "items", "n_wrong": "wrong traces",
         "n_traces": "traces", "ratio": "cost, wrong / right [95 %]", "note": "note"}  # fmt: skip
if len(known):
    show.table(
        known, "What a wrong answer costs beside a right one: ratio of geometric means.",
        labels=WRONG, intervals={"ratio": ("low", "high")}, name="wrong",
    )  # fmt: skip
silent = sorted(set(errors["study"]) - set(known["study"]))
if silent:
    show.say("Nothing can be said of {studies}: {why}.", studies=silent,
             why=sorted(set(errors.loc[errors["study"].isin(silent), "note"])))  # fmt: skip

# %% tags=["hide-input"]
within = known[(known["way"] != "across items") & ~known["group"].isin([PEOPLE, ALL])]
if len(within):
    show.say(
        "Of {n} comparisons within items, by role, {more} find wrong answers dearer with the whole interval, {less} find them "
        "cheaper. The ratios run from {low:.2f} to {high:.2f}.",
        n=len(within), more=int((within["low"] > 1).sum()), less=int((within["high"] < 1).sum()),
        low=within["ratio"].min(), high=within["ratio"].max(),
    )  # fmt: skip

# %% [markdown]
# ## All choices, crossed
#
# One change at a time is not enough. Two harmless choices can matter together. So we cross
# them: every column of cost; costs raw or as logs; times raw or as logs; both coefficients; with
# and without the prompt's length; all answers, each model's right ones, or those that both got
# right; cut traces kept or dropped; near or all pairs; two ways to average. One combination is a
# *specification*.
#
# The list was fixed before we saw a result. A specification that a study does not support is
# not run, and neither is one that repeats the numbers of another. Both are counted.


# %%
def stacked(tables):
    filled = [table for table in tables if len(table)]
    return pd.concat(filled or tables[:1], ignore_index=True)


found = [multiverse(one, lineage, n_perm=draws, seed=seed) for one in studies]
curve = pd.concat([one.curve for one in found], ignore_index=True)
summary = pd.concat([one.summary for one in found], ignore_index=True)
choices = stacked([one.choices for one in found])
tests = stacked([one.tests for one in found])

# %% tags=["hide-input"]
COUNTS = {"study": "study", "claim": "claim", "n_specifications": "combinations", "n_run": "run",
          "n_same": "repeat another", "n_unsupported": "not possible", "note": "note"}  # fmt: skip
show.table(
    summary, "Combinations of choices, and how many count as specifications.", labels=COUNTS, name="counts"
)
WHY = {"study": "study", "claim": "claim", "reason": "why not", "n": "combinations"}
show.table(not_run(curve), "Why combinations were not run.", labels=WHY, name="why")

# %% [markdown]
# ## The specification curve
#
# In the figures below every point of the upper panel is one specification with its 95 %
# interval, and they are sorted. The marks below a point say which choices led to it. Look for
# rows whose marks gather at one end: that choice pushes the result.

# %% tags=["hide-input"]
speaking = summary[summary["n_run"] > 0]
for row in speaking.itertuples():
    names = CLAIMS[row.claim]
    table = ranked(curve, row.study, row.claim)
    fig = figures_multiverse.curve(table, CHOICES, ylabel=f"r {names.a} − r {names.b}")
    caption = (
        f"{row.claim.capitalize()} in {row.study}: {row.n_run} specifications run from {formats.number(row.smallest)} "
        f"to {formats.number(row.largest)}, {100 * row.in_direction:.1f} % in the paper's direction. "
        f"The interval excludes 0 in {100 * (row.clear_for + row.clear_against):.1f} %."
    )
    alt = f"Sorted estimates of {row.n_run} specifications above a grid of the choices behind each of them."
    show.figure(fig, caption, alt, name=f"curve-{row.study}-{row.claim}")

# %% tags=["hide-input"]
for sentence in summary["sentence"]:
    show.say("- {sentence}", sentence=sentence)

# %% [markdown]
# ## Is the verdict always the same?
#
# Every specification gets a verdict by the rule of the chapters before: *supported* when the
# whole interval lies on the paper's side, *not supported* when it rules out a difference worth
# the name on that side, *cannot tell* otherwise.

# %% tags=["hide-input"]
shares = ["supported", "not_supported", "cannot_tell"]
if len(speaking):
    largest = speaking[shares].astype(float).max(axis=1)
    both = (speaking["supported"] > 0) & (speaking["not_supported"] > 0)
    caption = (
        f"In {int((largest == 1).sum())} of {len(speaking)} comparisons all specifications agree on the verdict; in "
        f"{int(both.sum())} some say supported and others say not supported. In brackets: specifications."
    )
    alt = "A bar per study and claim, divided by the share of specifications with each verdict."
    show.figure(figures_multiverse.verdicts(summary), caption, alt, name="verdicts")

# %% [markdown]
# ## Which choice matters most?
#
# The estimates of a curve differ. How much of their variance goes with each choice? An
# additive model of the choices is fitted, and each choice gets the share that it adds,
# averaged over all orders in which choices can enter. The rest is interactions. The levels
# are ours, so a share describes this curve and nothing beyond it.

# %% tags=["hide-input"]
SHARES = {"study": "study", "claim": "claim", "choice": "choice", "n_levels": "levels", "share": "share of variance",
          "lowest": "lowest", "mean_lowest": "its mean", "highest": "highest", "mean_highest": "mean"}  # fmt: skip
if len(choices):
    large = choices[choices["share"] >= 0.05].sort_values(
        ["study", "claim", "share"], ascending=[True, True, False]
    )
    show.table(
        large, "Choices with at least 5 % of the variance of the estimates, and the levels at the ends.",
        labels=SHARES, name="shares",
    )  # fmt: skip
for row in speaking[speaking["choice"].notna()].itertuples():
    show.say("- {claim} in {study}: the choice of *{choice}* matters most ({share:.0%}).",
             claim=row.claim.capitalize(), study=row.study, choice=row.choice, share=row.choice_share)  # fmt: skip

# %% [markdown]
# ## Could chance do this?
#
# All specifications use the same items. If luck with the items pushes one of them, it pushes
# them all. That hundreds of specifications agree is therefore no proof by itself. Simonsohn,
# Simmons and Nelson (2020) test them jointly: how well would they agree if *none* had a true
# difference?
#
# Their test shuffles what an experimenter assigned. Here nobody assigned anything. We could
# swap teacher and student within items, but once each model is judged by its own right
# answers, the two are no longer exchangeable. So we work with what each item adds to each
# estimate, and give these contributions random signs: the same signs in all specifications.
# In simulations without a difference the test of the median keeps its level, and so does
# swapping, where swapping can be done (`benchmarks/multiverse_level.py`).

# %% tags=["hide-input"]
JOINT = {"study": "study", "claim": "claim", "statistic": "statistic", "observed": "observed",
         "null_low": "without a difference: from", "null_high": "to", "p": "p", "on_edge": "on the edge"}  # fmt: skip
tested = tests[tests["p"].notna()]
if len(tested):
    show.table(
        tested, "All specifications tested together: the observed value, 95 % of the values without a "
        "difference, two-sided p.",
        labels=JOINT, digits={"observed": 3, "null_low": 3, "null_high": 3}, name="joint",
        note="On the edge: other draws could move p over .05. Not corrected for the number of tests.",
    )  # fmt: skip

# %% tags=["hide-input"]
agree = tested[tested["statistic"] == AGREEMENT]
if len(agree):
    wide = int(((agree["null_low"] <= 0.01) & (agree["null_high"] >= 0.99)).sum())
    show.say(
        "In {wide} of {n} curves nearly all specifications would often point the same way *without* any difference. "
        "So the share in one direction, however impressive, is weak evidence. Look at the median.",
        wide=wide, n=len(agree),
    )  # fmt: skip

# %% [markdown]
# ## What these data can't say
#
# - **A multiverse holds the choices that we thought of.** It says nothing about those that are
#   not in it: other prompts, other temperatures, other items, other people.
# - **A specification is not a vote.** Some answer the question better than others. Dropping
#   each model's wrong answers leaves it with easier items, and with a smaller range of difficulty.
#   Raw costs punish a model for the spread of its lengths. A majority of weak specifications
#   outweighs nothing.
# - **Many specifications are not much data.** They share their items and models. The intervals
#   here take items as a sample and the models as given: they do not speak of other students.
# - **A share of variance depends on the levels that we crossed.** Add a level that changes
#   nothing, and its choice will matter less.
# - **The null hypothesis of the joint test is that there is no difference under *any*
#   specification.** To reject it is not to say that there is one under all.
# - **Partial correlations do not undo every confound.** They remove what is linear in the log of
#   the prompt's length, as counted in the study. A question can be long and easy to read.
# - **Where a record is missing, a confound can't be checked.** No recorded study says which
#   traces ended in a loop, and some do not say which answers were right.

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %%
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from scipy.stats import rankdata

from handan.book import show
from handan.costs import load_study
from handan.stats.overlapping import williams_t

# %% [markdown] tags=["exercise"]
# ### Exercise 10.1: The same item, right and wrong (10 minutes)
#
# QwQ-32B answered the items of `gpqa-minutes` several times. Does it write more *when it is wrong*, or only *where
# it is often wrong*? Take the items on which it was both right and wrong. In each of them compare the mean of the
# log tokens of its wrong answers with that of its right ones. Average the differences over items, and put the factor,
# wrong over right, into `ratio`.

# %% tags=["solution"]
qwq = load_study("gpqa-minutes").costs.query("model == 'QwQ-32B'")
qwq = qwq.assign(log_tokens=np.log(qwq["reasoning_tokens"].astype(float)))
### BEGIN SOLUTION
# A row per item, a column for wrong (0) and for right (1). Items with only one kind can't be compared
# with themselves, and fall out.
by_item = qwq.pivot_table(index="item", columns="correct", values="log_tokens").dropna()
ratio = np.exp((by_item[0] - by_item[1]).mean())
# Much less than between items, where hard ones are both failed and dear. And these are few items.
### END SOLUTION

# %% tags=["key"]
overall = qwq.groupby("correct")[["log_tokens", "reasoning_tokens"]].mean()
tokens = qwq.pivot_table(index="item", columns="correct", values="reasoning_tokens").dropna()
key(
    "10.1", ratio, digits=2, points=2,
    hint="Only items with both kinds of answers count. One difference of logs per item, then their mean.",
    wrong={
        "You compared all wrong answers with all right ones. The wrong ones stand on harder items.": np.exp(overall.at[0, "log_tokens"] - overall.at[1, "log_tokens"]),
        "You compared all wrong answers with all right ones, and without logs.": overall.at[0, "reasoning_tokens"] / overall.at[1, "reasoning_tokens"],
        "You averaged the ratios themselves, so that a large one can't be cancelled.": (tokens[0] / tokens[1]).mean(),
        "Upside down: wrong over right was asked for.": 1 / ratio,
        "This is still a difference of logs. Which factor is it?": np.log(ratio),
    },
)  # fmt: skip

# %% [markdown] tags=["exercise"]
# ### Exercise 10.2: A small multiverse (15 minutes)
#
# Is the student of `mip-gsm8k` less aligned than its teacher? `every` has r(teacher) − r(student) under
# twelve combinations of three choices. Some combinations repeat the numbers of another: they aren't
# specifications of their own. Drop repeats (equal to ten decimals; keep the first), and draw the rest in the order of
# their size. Put their median, with five decimals or more, into `median`. Which choice parts the curve in two?

# %%
teacher, student = "DeepSeek-R1", "DeepSeek-R1-Distill-Qwen-32B"
gsm8k = load_study("mip-gsm8k")
steps = gsm8k.norms.set_index("item")["difficulty"]
every = []
costs = ["reasoning_tokens", "output_tokens", "n_chars"]
for cost, scale, method in product(costs, ["log", "raw"], ["pearson", "spearman"]):
    wide = gsm8k.costs.pivot(index="item", columns="model", values=cost)[[teacher, student]].astype(float)
    wide = wide[(wide > 0).all(axis=1)]
    r = (np.log(wide) if scale == "log" else wide).corrwith(steps.reindex(wide.index), method=method)
    every.append(dict(cost=cost, scale=scale, method=method, difference=r[teacher] - r[student]))
every = pd.DataFrame(every)

# %% tags=["solution"]
### BEGIN SOLUTION
# The logarithm keeps the order of items, so Spearman's r can't see it: those are the repeats.
distinct = every[~every["difference"].round(10).duplicated()].sort_values("difference")
median = distinct["difference"].median()
drawn = distinct.assign(place=np.arange(1, len(distinct) + 1))
fig, axes = plt.subplots(figsize=(6, 3.6))
sns.scatterplot(drawn, x="place", y="difference", hue="method", style="scale", ax=axes)
axes.axhline(0, color="0.5", linewidth=0.8)
axes.set(xlabel="specification (rank)", ylabel="r(teacher) − r(student)")
caption = f"{len(drawn)} specifications, in the order of their size. A point is a specification."
show.figure(fig, caption, "Sorted differences, coloured by coefficient, with a line at zero.")
# The coefficient parts the curve: with Spearman's r all differences are clearly below zero, with Pearson's they
# lie on both sides.
### END SOLUTION

# %% tags=["key"]
key(
    "10.2", median, digits=5, points=3,
    hint="Two rows with the same difference are one specification. Then take the middle of the sorted differences.",
    wrong={
        "Repeats are still in it. A choice that changes nothing gave some specifications two votes.": every["difference"].median(),
        "This is the mean.": distinct["difference"].mean(),
        "This is the mean, and repeats are still in it.": every["difference"].mean(),
        "The sign is wrong: teacher minus student.": -median,
        "You kept Pearson's r only. All choices belong in.": every.loc[every["method"] == "pearson", "difference"].median(),
    },
)  # fmt: skip

# %% [markdown] tags=["exercise"]
# ### Exercise 10.3: Four chances to find nothing (12 minutes)
#
# `p` holds the p values of 2,000 simulated studies, a row each. In all of them teacher and student are equally
# aligned. Each study was analysed in four ways: with log costs, with raw costs, with ranks, and with raw costs
# against raw times. Suppose that a researcher tries all four and reports one that "works". In what share of the
# studies does at least one p lie below .05? Put it into `share`.

# %%
rng = np.random.default_rng(10)
human, common = rng.standard_normal((2, 2_000, 50))
a, b = (0.5 * human + 0.6 * common + 0.6 * rng.standard_normal(human.shape) for _ in range(2))


def r_rows(x, y):
    x, y = ((v - v.mean(axis=1, keepdims=True)) / v.std(axis=1, keepdims=True) for v in (x, y))
    return (x * y).mean(axis=1)


ways = {
    "log": (human, a, b),
    "raw": (human, np.exp(a), np.exp(b)),
    "raw times": tuple(map(np.exp, (human, a, b))),
}
ways["ranks"] = tuple(rankdata(v, axis=1) for v in ways["log"])
p = pd.DataFrame(
    {way: williams_t(r_rows(h, x), r_rows(h, y), r_rows(x, y), 50).p for way, (h, x, y) in ways.items()}
)

# %% tags=["solution"]
### BEGIN SOLUTION
significant = p < 0.05
share = significant.any(axis=1).mean()
# The ways share their data, so chances do not simply add up. And look at each way by itself
# (significant.mean()): one of them is a bad test, since a few huge values decide it. A multiverse
# is only as good as the specifications in it.
### END SOLUTION

# %% tags=["key"]
key(
    "10.3", share, digits=2, points=2,
    hint="One row is one study. Ask of each row whether any of its four p values lies below .05.",
    wrong={
        "That would hold for four independent tests, each with a level of .05. Are they?": 1 - 0.95**4,
        "This is the mean share of one way. The researcher has four chances in every study.": significant.to_numpy().mean(),
        "Here all four have to work. The researcher needs one.": significant.all(axis=1).mean(),
        "You added the shares up. A study in which two ways work was counted twice.": significant.mean().sum(),
        "This is one honest analysis, in logs.": significant["log"].mean(),
    },
)  # fmt: skip
