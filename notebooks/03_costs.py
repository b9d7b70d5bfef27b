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
# # Costs: what models spent
#
# **After this chapter you can**
#
# - count the tokens of a trace, part by part, whatever the model did with its tags;
# - recognise a cost that is a lower bound, and one that is missing;
# - show how much a correlation depends on what was counted.
#
# **Time:** 30 minutes to read, about a minute to run.
#
# A reasoning model writes down a chain of thought before it answers. Each piece of text it
# writes is a *token*. The number of tokens is what the answer costs: it is what a user pays
# for and what a computer spends time on. The paper asks whether this cost rises and falls
# with the effort of people.
#
# Before we can ask that, we need the costs. The first half of this chapter counts traces of our
# own, and shows what goes wrong when one counts carelessly. The second half shows the recorded
# studies of this book: what each of them counted, and how much of it is incomplete.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer resamples
study = "all"  # or the name of one study
model = "base-carry-s0"  # makes the traces of the first half
seed = 0

# %% tags=["hide-input"]
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from handan import costs, figures, figures_traces, norms, profiles, traces
from handan.book import show
from handan.costs import censoring, wrong
from handan.findings.alignment import align
from handan.findings.join import join
from handan.lineage import OTHER_SETTINGS, model_of, roles_of
from handan.traces import counting, jobs
from handan.traces.choose import Options

# %% tags=["hide-input"]
size = profiles.profile(profile)
tasks = ["binary-addition", "binary-subtraction"]
names = costs.studies() if study == "all" else [study]
studies = {name: costs.load_study(name) for name in names}
roles = roles_of(model for one in studies.values() for model in one.costs["model"].unique())

# %% [markdown]
# ## One trace, counted
#
# We make some traces to count. The tiny model of the last chapter answers every item of two
# tasks, twice. People were timed on the same items.

# %%
decoding = traces.Decoding(max_new_tokens=256, temperature=1.0, top_p=1.0, seed=seed)
job = jobs.prepare(model, tasks, decoding, Options(), samples=2, limit=size.n_items)
folder = Path(mkdtemp(prefix="traces-"))
report = jobs.execute(job, folder)
counted, remarks = counting.counted([folder], keep_text=True)

# %% [markdown]
# A trace has three parts. The *reasoning* stands between two tags, usually `<think>` and
# `</think>`. The *answer* follows. The tags themselves, and the invisible token that means
# "stop", are *markup*. Every token that was generated belongs to one of the three.

# %% tags=["hide-input"]
columns = ["task", "item", "prompt_tokens", "reasoning_tokens", "answer_tokens", "markup_tokens", "output_tokens",
           "stop", "correct"]  # fmt: skip
example = counted.sort_values("reasoning_tokens").iloc[[0, len(counted) // 2, -1]]
show.table(example[columns], "Three traces: the shortest, one in the middle, the longest.", name="parts",
           note="The headings are columns of a costs table. stop: how the trace ended, by itself (stop) or at the limit "
                "(length). correct: the share of right answers, here 0 or 1.")  # fmt: skip

# %% tags=["hide-input"]
parts = counted[["reasoning_tokens", "answer_tokens", "markup_tokens"]].sum(axis=1)
whole = counted["answer_tokens"].notna()
show.say(
    "In {same:,} of {n:,} closed traces the three parts add up to the whole. {right:.0f} % of the answers are correct.",
    same=int((parts == counted["output_tokens"])[whole].sum()), n=int(whole.sum()), right=100 * counted["correct"].mean(),
)  # fmt: skip

# %% [markdown]
# The parts are counted on the tokens that the model chose, not on the text. Text read back
# into tokens can give another number: there are many ways to spell the same words in tokens.
#
# ## What if the tags are not as they should be?
#
# Models forget to close a tag, open it twice, or never use one. Some prompts open the tag for
# the model. One rule covers all of it: **the answer is what follows the last closing tag; what
# stands before it and is no tag is reasoning.** Here is the rule at work.

# %%
from handan.costs.split import split_text
from handan.costs.tags import Tags

tags = Tags("<think>", "</think>")
cases = {
    "<think>2+2 is 4</think>4": False,
    "2+2 is 4</think>4": True,
    "<think>2+2 is": False,
    "<think>two</think>so<think>four</think>4": False,
    "2+2 is 4, so 4": False,
}
split = {text: split_text(text, tags, prefilled=opened) for text, opened in cases.items()}

# %% tags=["hide-input"]
shown = pd.DataFrame(
    {"written": text, "reasoning": one.reasoning, "answer": one.answer, "flags": ", ".join(one.flags)}
    for text, one in split.items()
)
show.table(
    shown,
    "What the rule makes of tags that are in order, and of tags that are not.",
    note="Flags: the reasoning was closed or not (unclosed), the prompt had opened it (prefilled), a tag came again "
    "(repeated), or there was no tag at all (none).",
    name="tags",
)

# %% [markdown]
# The last line has no tags at all. Instruct models think in plain sight, and so do a few
# reasoning models. There the rule is: **without tags, the whole output is the cost.** Such a row
# has no `answer_tokens`. The other way to see it, no tags and hence no reasoning, is kept
# in the column `tagged_tokens`.
#
# ## A cut trace is a lower bound
#
# A model may write only so many tokens. A trace that reaches this limit is cut. It is
# *right-censored*: we know that it would have cost at least so much, not how much. To see what
# this does, we take the traces from above, and cut them on paper.

# %%
limit = int(1.25 * counted["reasoning_tokens"].median())
cut = counted.assign(
    stop=counted["stop"].mask(counted["reasoning_tokens"] > limit, "length"),
    tags=counted["tags"].mask(counted["reasoning_tokens"] > limit, "unclosed"),
    reasoning_tokens=counted["reasoning_tokens"].clip(upper=limit),
)
full = censoring.summarise(counted, by=["model"], limit=limit)
seen = censoring.summarise(cut, by=["model"], limit=limit)
kept = wrong.without_truncated(cut)

# %% tags=["hide-input"]
means = pd.DataFrame(
    [
        ("the truth, nothing cut", full["mean"].iloc[0], full["median"].iloc[0]),
        ("cut traces taken at face value", seen["mean"].iloc[0], seen["median"].iloc[0]),
        ("cut traces left out", kept["reasoning_tokens"].mean(), kept["reasoning_tokens"].median()),
        ("Kaplan-Meier, up to the limit", seen["km_mean"].iloc[0], seen["km_median"].iloc[0]),
        ("the truth up to the limit", full["km_mean"].iloc[0], full["km_median"].iloc[0]),
    ],
    columns=["summary", "mean", "median"],
)
show.table(means, f"Mean and median reasoning when traces are cut at {limit} tokens.", digits=1, name="cut")

# %% tags=["hide-input"]
show.say(
    "{share:.0f} % of the traces were cut. The true mean is {truth:.0f} tokens. At face value it seems to be {face:.0f}, "
    "and without the cut traces {kept:.0f}. The median stays at {median:.0f} tokens, as it does while less than half is cut.",
    share=100 * seen["censored"].iloc[0], truth=full["mean"].iloc[0], face=seen["mean"].iloc[0],
    kept=kept["reasoning_tokens"].mean(), median=seen["km_median"].iloc[0],
)  # fmt: skip

# %% [markdown]
# The Kaplan-Meier estimate comes from medicine, where some patients are still alive when a study
# ends. It uses what is known of a cut trace, and no more. Its mean is *restricted*: it is the mean
# of what is spent up to the limit. No method can know what would have been spent beyond.
#
# ## How wrong counting changes r
#
# Now the same traces, counted in wrong ways that were all met in real programs, and the
# correlation with human response time under each.

# %%
people = norms.load_bank(tasks)
padded = {f"padded, {order} batches of 32": wrong.padded_tokens(counted, 32, order=order)
          for order in ("given", "random")}  # fmt: skip
ways = {
    "reasoning tokens (right)": counted,
    "everything that was written": counted.assign(reasoning_tokens=counted["output_tokens"]),
    **{name: counted.assign(reasoning_tokens=width) for name, width in padded.items()},
    f"cut at {limit}, at face value": cut,
    f"cut at {limit}, cut traces left out": kept,
    f"cut at {limit}, tried again until done": wrong.rerolled(cut, seed=seed),
    "only the first sample": counted[counted["sample"] == 0],
}


# %%
def alignment(costs_table):
    plain = costs_table.drop(columns=["reasoning_text", "answer_text"])
    return align(join(plain, people), n_boot=size.n_boot, seed=seed)


found = pd.concat([alignment(table).assign(rule=rule) for rule, table in ways.items()])

# %% tags=["hide-input"]
wide = found.pivot(index="rule", columns="task", values="r").reindex(list(ways)).reset_index()
show.table(
    wide,
    f"r of log cost with log response time under {len(ways)} ways of counting. A dash: all costs are the same.",
    name="wrong",
    digits=3,
)

# %% tags=["hide-input"]
one_task = found[found["task"] == tasks[0]].reset_index(drop=True)
right = one_task["r"].iloc[0]
fig = figures_traces.counting_rules(one_task, right)
worst = one_task.loc[(one_task["r"] - right).abs().idxmax()]
same = [rule for rule, r in zip(one_task["rule"], one_task["r"], strict=True) if np.isnan(r)]
caption = (
    f"Ways of counting the same traces of {tasks[0]}. The dashed line is the right count, r = {right:.2f}. "
    f"Furthest from it: {worst['rule']}, r = {worst['r']:.2f}."
    + (f" No r can be computed for: {', '.join(same)}." if same else "")
)
show.figure(fig, caption, f"Correlations with intervals under {len(ways)} ways of counting.", name="counting")

# %% [markdown]
# Padding gives a trace the length of its longest neighbour. Where every batch holds one of the
# longest traces, all rows count the same, and no correlation is left. Cutting moves r too, and it can
# move it *up*: what a limit cuts off are the longest traces, and these need not be the traces of the
# hardest items. Nothing in a result file shows that any of this has happened. The numbers look fine. That
# is why the counts of this book are tested against one-by-one generation, row by row.
#
# How high r is here says nothing about people: the tiny model learned its ways of reasoning from
# texts that we wrote. How *much* it moves when the same traces are counted otherwise is the lesson.
#
# ## Sizes that do not depend on the tokenizer
#
# Models cut text into tokens differently. To compare the *level* of two models, count something
# they share.

# %% tags=["hide-input"]
sizes = (
    counted.groupby("task", sort=False)[["reasoning_tokens", "n_chars", "words", "units", "steps"]]
    .mean()
    .reset_index()
)
heads = {"task": "task", "reasoning_tokens": "tokens", "n_chars": "characters", "words": "words",
         "units": "lexical units", "steps": "steps"}  # fmt: skip
show.table(sizes, "Mean size of the reasoning in five units. A lexical unit is a word, a digit or a sign.",
           labels=heads, digits=1, name="sizes")  # fmt: skip

# %% tags=["hide-input"]
show.say(
    "{loops} of {n:,} traces end in a loop, a passage that repeats itself until the limit. They are flagged, not removed.",
    loops=int(counted["loop"].sum()), n=len(counted),
)  # fmt: skip

# %% [markdown]
# Your own traces are counted by `handan costs FOLDER --out costs.csv`. Logs of lm-evaluation-harness,
# inspect_ai, OpenAI batches and vLLM are read by `handan import`.

# %% [markdown]
# ## The recorded studies
#
# A study has two tables. The *norms* say how hard an item is for people. The *costs* say what
# a model spent on it. Every table below comes from work that others published. Where the
# numbers come from, under which licence, and what they can't say stands on the page of the
# [data cards](../book/data_cards).

# %% tags=["hide-input"]
overview = pd.DataFrame(
    {
        "study": name,
        "measure": one.measure,
        "tasks": one.norms["task"].nunique(),
        "items": len(one.norms),
        "models": one.costs["model"].nunique(),
        "rows": len(one.costs),
    }
    for name, one in studies.items()
)
show.table(overview, "The recorded studies, and what stands for human difficulty in each.", name="overview")

# %% [markdown]
# Look at the second column. In `pnas-r1` people were timed. In `gpqa-minutes` they reported
# themselves how many minutes they took. In the two `mip` studies and in `pretrained-bases` difficulty is a property of the problem that a person assigned or wrote down.
# In `pm-bench` difficulty is the opinion of a language model. A correlation with the last
# kind of measure says little about people, and we will not pretend that it does.
#
# ## One row of a cost table
#
# One row is one answer of one model to one item. Here are a few rows.

# %% tags=["hide-input"]
last = studies[names[-1]]
columns = ["model", "item", "prompt_chars", "reasoning_tokens", "answer_tokens", "output_tokens", "stop"]
present = [name for name in columns if name in last.costs]
show.table(
    last.costs[present].groupby("model", sort=False).head(1).head(8),
    f"Rows of the costs of {last.name}: the first item of some models.",
    name="rows",
)

# %% [markdown]
# These are the columns that you have met above. A row without `answer_tokens` had no tags, or the
# study did not say. The column `stop` says how the text ended: by itself, or cut at the limit.

# %% [markdown]
# ## What is incomplete
#
# Nothing is deleted from these tables. A row that can't be used is left out of a
# correlation, counted, and named.

# %% tags=["hide-input"]
joined = {name: join(one.costs, one.norms) for name, one in studies.items()}
flaws = pd.concat([one.excluded for one in joined.values()])
cut = pd.concat([one.rows.assign(study=name) for name, one in joined.items()])
censored = cut.groupby(["study", "model", "task"], sort=False)["truncated"].agg(["mean", "count"])
censored = censored.rename(columns={"mean": "share", "count": "items"}).query("share > 0").reset_index()
show.table(
    flaws,
    "Cost rows that no correlation can use, and why.",
    labels={"study": "study", "model": "model", "task": "task", "reason": "reason", "n": "rows"},
    name="excluded",
)

# %% tags=["hide-input"]
show.table(
    censored.assign(percent=100 * censored["share"]),
    "Share of traces that were cut at the limit. Models not named have none, or no record of it.",
    labels={"study": "study", "model": "model", "task": "task", "items": "items", "percent": "% cut"},
    note="Items are those of which it is known how a trace ended.",
    digits=1,
    name="censored",
)

# %% tags=["hide-input"]
if censored.empty:
    show.say("No trace was cut in the studies chosen.")
else:
    worst = censored.loc[censored["share"].idxmax()]
    show.say(
        "Most affected is {model} in the task {task} of {study}: {percent:.0f} % of the traces of its {n} items were cut. The "
        "true cost of these is higher than the number in the table, so its mean is too low and its correlation is not to "
        "be trusted.",
        model=worst["model"], task=worst["task"], study=worst["study"], percent=100 * worst["share"], n=worst["items"],
    )  # fmt: skip

# %% [markdown]
# ## How much models spend
#
# The next pictures show the cost of every item, for every model. The axis is logarithmic: a
# step to the right multiplies the cost. Everything that follows works with the logarithm,
# because costs are skewed and we want to compare ratios.


# %% tags=["hide-input"]
def unit_of(name):
    # the first word of what a study's card says of its costs
    return "words" if costs.card(name)["tokens"].startswith("Words") else "tokens"


def draw_costs(name):
    rows, unit = joined[name].rows, unit_of(name)
    order = rows.groupby("model")["log_cost"].median().sort_values(ascending=False).index
    fig = figures.cost_spread(rows, roles, order, unit)
    caption = f"Cost of an item in {name}, in {unit}. {order[0]} spends most. A box holds the middle half of the items."
    alt = f"Box plots of the cost in {unit} of {len(order)} models in {name}, the dearest on top."
    show.figure(fig, caption, alt, name=f"cost-{name}")


# %% tags=["hide-input"]
for name in names:
    if joined[name].rows["model"].nunique() > 1:
        draw_costs(name)

# %% tags=["hide-input"]
runs = [model for model, role in roles.items() if role == OTHER_SETTINGS]
if runs:
    show.say(
        "{runs} are runs of {model} under other settings. They are in no comparison of teachers, students and baselines.",
        runs=runs, model=sorted({model_of(run) for run in runs}),
    )  # fmt: skip
if "reinforced-student" in roles.values():
    show.say(
        "A *reinforced student* learned from traces and was then trained by reinforcement. It is neither a student nor a "
        "teacher, and no comparison of the two takes it in."
    )

# %% tags=["hide-input"]
for name in names:
    rows = joined[name].rows
    median = rows.groupby(rows["model"].map(roles))["log_cost"].median()
    if {"student", "baseline"} <= set(median.index):
        show.say(
            "In {study} the median answer of a student costs {factor:.1f} times that of a baseline.",
            study=name, factor=float(np.exp(median["student"] - median["baseline"])),
        )  # fmt: skip

# %% [markdown]
# How much more a student writes than a baseline depends on the study. The length is part of
# the "form" of reasoning that the paper says is copied. It tells us nothing yet about *where*
# the tokens go, and that is what the next chapters are about.
#
# ## Does it matter what they counted?
#
# For models with tags we can count the reasoning alone, or everything that was written. Here
# is the correlation with difficulty under both rules.


# %%
def both_rules(name):
    one = studies[name]
    if "output_tokens" not in one.costs or one.costs["answer_tokens"].isna().all():
        return pd.DataFrame()
    tagged = one.costs[one.costs["answer_tokens"].notna()]
    reasoning = align(join(tagged, one.norms), n_boot=size.n_boot, seed=seed)
    whole = align(join(tagged, one.norms, "output_tokens"), n_boot=size.n_boot, seed=seed)
    table = reasoning[["study", "model", "n", "r"]].assign(r_whole=whole["r"])
    return table.assign(change=table["r_whole"] - table["r"])


rules = pd.concat([both_rules(name) for name in names], ignore_index=True)

# %% tags=["hide-input"]
if rules.empty:
    show.say("The studies chosen did not record the whole output.")
else:
    heads = {"study": "study", "model": "model", "n": "items", "r": "r, reasoning only",
             "r_whole": "r, whole output", "change": "change"}  # fmt: skip
    show.table(rules, "Correlation of log cost with difficulty under two rules of counting.", labels=heads,
               note="Only traces whose reasoning was closed enter: a cut trace has no answer to add.")  # fmt: skip
    most = rules.loc[rules["change"].abs().idxmax()]
    show.say(
        "The rule matters most for {model} in {study}: r is {r:.2f} with the reasoning alone and {whole:.2f} "
        "with the whole output. Over all {n} lines of the table, counting everything moves r by {mean:+.2f} on average.",
        model=most["model"], study=most["study"], r=most["r"], whole=most["r_whole"], n=len(rules),
        mean=rules["change"].mean(),
    )  # fmt: skip

# %% [markdown]
# This is worth remembering when a reasoning model is compared with a model without tags: the
# first is measured by its reasoning, the second by everything it wrote. The rule is part of
# the result.
#
# ## What these data can't say
#
# - **One sample per item, mostly.** A model that samples its words spends a different number
#   of tokens each time. With one sample we can't tell this noise from a real difference
#   between items, and the noise lowers every correlation.
# - **Different tokenizers.** In `gpqa-minutes` every model is counted in its own tokens. This
#   shifts the level of a model. It hardly touches a correlation within a model.
# - **Mixed settings.** The studies used the temperature, the limits and the providers that
#   suited them. A comparison between models of one study is safer than one between studies.
# - **Text counted again.** The `mip` and `pm` counts were made from stored text with one
#   common tokenizer. They are close to what was generated, but they are not the generated
#   tokens themselves.
# - **Words, not tokens.** `pretrained-bases` counts the words of the whole output, because half
#   of its texts are gone.

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %%
import seaborn as sns

from handan.costs import load_study

# %% [markdown] tags=["exercise"]
# ### Exercise 3.1: Which of these is a lower bound? (8 minutes)
#
# Six outputs of a model, each with how it ended: by itself (`stop`) or at the limit (`length`). For
# which of them is the count of *reasoning* tokens only a lower bound? Apply the two rules of this
# chapter: what reasoning is, and when a count is right-censored. Put the letters into `bounds`, as a
# list.

# %% tags=["solution"]
written = {
    "A": ("<think>6 times 7 is 42</think>42", "stop"),
    "B": ("<think>6 times 7 is", "length"),
    "C": ("<think>6 times 7 is 42</think>The answer", "length"),
    "D": ("6 times 7 is", "length"),
    "E": ("<think>6 times 7 is 42", "stop"),
    "F": ("<think>six</think>so<think>times seven", "length"),
}
### BEGIN SOLUTION
pieces = {letter: split_text(text, Tags("<think>", "</think>")) for letter, (text, _) in written.items()}
# Two things make a lower bound: the limit cut the text, and it cut it within the reasoning.
# In C the reasoning had ended before. D has no tags, so all of it is the cost. E was not cut:
# the model just never closed its tag, and would not have written more.
cut_short = [letter for letter, (_, stop) in written.items() if stop == "length"]
bounds = [letter for letter in cut_short if "closed" not in pieces[letter].flags]
### END SOLUTION

# %% tags=["key"]
unclosed = [letter for letter, one in pieces.items() if "unclosed" in one.flags]
open_end = [letter for letter, one in pieces.items() if "closed" not in one.flags]
mistakes = {
    "Those are all that were cut. Was the reasoning over in one of them before the cut?": cut_short,
    "Those are all whose tag was left open. Did the limit cut all of them?": unclosed,
    "What is the cost of an output without tags? And could it have been longer?": [one for one in cut_short if one in unclosed],
    "Reasoning that doesn't close is not cut for that. How did each of these end?": open_end,
}  # fmt: skip
hint = "Ask of each: was it cut, and was it still reasoning when it was cut? Without tags, all is reasoning."
key("3.1", bounds, hint=hint, wrong=mistakes)

# %% [markdown] tags=["exercise"]
# ### Exercise 3.2: How long would they have been? (12 minutes)
#
# In `pretrained-bases` a limit cut many traces of DeepSeek-R1-Distill-Qwen-14B on the task `math`.
# The costs there are words. Estimate the median cost with regard to the cut traces (Kaplan-Meier), and
# put it into `median_words`.
#
# Then draw two cumulative curves (`sns.displot` with `kind="ecdf"`): the counts at face value, and
# those of the traces that ended by themselves.

# %% tags=["solution"]
words = load_study("pretrained-bases").costs
words = words[(words["model"] == "DeepSeek-R1-Distill-Qwen-14B") & (words["task"] == "math")]
### BEGIN SOLUTION
# Half of the traces go beyond this count. A cut trace says that it goes beyond its own count, no more.
# The limit was set in tokens and not in words, so cut traces differ in words; the estimate allows that.
median_words = costs.summarise(words, by=["model"])["km_median"].iloc[0]
ended = words[words["stop"] == "stop"]
ways = [words.assign(counted="all, at face value"), ended.assign(counted="cut traces left out")]
curves = pd.concat(ways, ignore_index=True)
plot = sns.displot(curves, x="reasoning_tokens", hue="counted", kind="ecdf", height=3.2, aspect=1.6)
plot.set_axis_labels("cost of a trace (words)", "share of traces up to this cost").refline(y=0.5)
show.figure(
    plot.figure,
    "Both curves are too far left: one takes cut traces for complete, the other forgets them.",
    "Two rising cumulative curves of the cost in words. Leaving out cut traces gives the left one.",
)
### END SOLUTION

# %% tags=["key"]
face = words["reasoning_tokens"].astype(float)
complete = ended["reasoning_tokens"].astype(float)
mistakes = {
    "That takes the cut traces at face value. Their true cost is higher.": face.median(),
    "That leaves the cut traces out, which are the long ones.": complete.median(),
    "That is the mean at face value: neither the median, nor with regard to the cut.": face.mean(),
    "That is a restricted mean, of what is spent up to the limit. The question is about the median.":
        costs.summarise(words, by=["model"])["km_mean"].iloc[0],
}  # fmt: skip
hint = "`costs.summarise` has a column for it. It should lie above the median of the numbers in the table."
key("3.2", median_words, hint=hint, wrong=mistakes, digits=0)

# %% [markdown] tags=["exercise"]
# ### Exercise 3.3: Does the answer follow difficulty, too? (10 minutes)
#
# We count the reasoning. But the answer has a length as well. Take the rows of `pm-bench` that have an
# answer. For each model, correlate difficulty with the log of the *reasoning* tokens, and with the log
# of the *answer* tokens. For which models is the second correlation higher? Put their names into
# `by_answer`, as a list.

# %% tags=["solution"]
pm = load_study("pm-bench")
both_parts = pm.costs.merge(pm.norms[["item", "difficulty"]], on="item").query("answer_tokens > 0")
### BEGIN SOLUTION
sizes = ["reasoning_tokens", "answer_tokens"]
logged = both_parts[["model", "difficulty"]].join(np.log(both_parts[sizes].astype(float)))
r_parts = logged.groupby("model")[["difficulty", *sizes]].apply(lambda part: part.corr()["difficulty"])
by_answer = r_parts.index[r_parts["answer_tokens"] > r_parts["reasoning_tokens"]].tolist()
# They are students, the three that align least. How long they think says little about the problem;
# how much they then say still does.
### END SOLUTION

# %% tags=["key"]


def higher(table):
    r = table.groupby("model")[["difficulty", *sizes]].apply(lambda part: part.corr()["difficulty"])
    return r.index[r["answer_tokens"] > r["reasoning_tokens"]].tolist()


swapped = logged.rename(columns=dict(zip(sizes, sizes[::-1], strict=True)))
mistakes = {
    "Did you forget the logarithm?": higher(both_parts.astype(dict.fromkeys(sizes, float))),
    "There the reasoning follows difficulty more closely. Mind the direction.": higher(swapped),
    "Is that the whole output? Take the tokens of the answer alone.":
        higher(logged.assign(answer_tokens=np.log(both_parts["output_tokens"].astype(float)))),
}  # fmt: skip
hint = "Compute two correlations per model, each over the same rows, and compare them model by model."
key("3.3", by_answer, hint=hint, wrong=mistakes, points=2)
