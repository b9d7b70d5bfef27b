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
# # Traces: what models write
#
# **After this chapter you can**
#
# - ask a language model the problems that people were timed on;
# - keep every token that it writes, with all that is needed to write it again;
# - stop in the middle, go on later, and prove that nothing was lost or done twice.
#
# **Time:** 20 minutes to read, about a minute to run on a laptop.
#
# A *trace* is everything a model writes in reply to a problem: the chain of thought and the
# answer. The paper's numbers are counts of traces. So we begin by making some, here and now,
# on the machine that runs this page.

# %% tags=["parameters"]
profile = "default"  # "quick" asks fewer items
model = "base-carry-s0"  # or a name of the lineage, a hub id, a folder
tasks = "binary-addition, binary-subtraction"
samples = 2
temperature = 1.0
max_new_tokens = 256
out = ""  # a folder keeps the traces; empty takes a temporary one
seed = 0

# %%
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from handan import figures_traces, norms, profiles, traces
from handan.book import show
from handan.traces import jobs
from handan.traces.choose import Options
from handan.traces.store import Store

size = profiles.profile(profile)
names = [name.strip() for name in tasks.split(",")]
folder = Path(out or tempfile.mkdtemp(prefix="traces-"))

# %% [markdown]
# ## The model
#
# The default model is tiny. This project trained it from scratch, and it comes with the package,
# so that this page runs anywhere in a minute. It adds and subtracts, it finds its way around the
# compass, and it thinks before it answers. It is the *base* of a family of twelve; chapter 9 tells
# how they were trained and what they show. Everything below works the same with a model of 70
# billion parameters. Only the time differs.

# %%
decoding = traces.Decoding(max_new_tokens, temperature, top_p=1.0, seed=seed)
job = jobs.prepare(model, names, decoding, Options(), samples=samples, limit=size.n_items)
found = job.chosen.model

# %% tags=["hide-input"]
show.say(
    "The model is {name}, at revision {revision}. It computes in {dtype}, because: {reason}.",
    name=found.name, revision=found.revision[:10], dtype=job.chosen.dtype,
    reason=job.chosen.reason.split(": ", 1)[-1],
)  # fmt: skip

# %% [markdown]
# The *revision* says which weights these are. A name is not enough: the owner of a model can
# replace its files. A folder on your disk has a revision too, computed from its content.
#
# The number format matters as well. A model that computes in 16 bits can choose another word
# here and there than the same model in 32 bits, and one word can change all that follow.
#
# ## The question
#
# People saw two binary numbers and worked out the sum or the difference. A large model is asked
# in words. The tiny model reads the item's code. It never learned English.

# %% tags=["hide-input"]
task, item = job.requests[len(job.requests) // 3].task, job.requests[len(job.requests) // 3].item
question = pd.DataFrame(
    {
        "what": ["item", "people", "in words", "as this model reads it", "key"],
        "text": [item, norms.task(task).people, norms.task(task).prompt(item),
                 next(r.prompt for r in job.requests if r.item == item), norms.task(task).answer(item)],
    }
)  # fmt: skip
show.table(question, f"One problem of the task {task}.", name="question")

# %% [markdown]
# ## How the next word is chosen
#
# A language model gives a probability to every possible next token. *Decoding* is the rule that
# picks one. Temperature 0 takes the likeliest, always. Temperature 1 draws from the
# probabilities as they are. Reasoning models are usually sampled, since the greedy rule makes
# them go round in circles.
#
# A sampled model spends a different number of tokens each time it is asked. That is why we ask
# more than once.
#
# ## Go
#
# `execute` asks everything that the store has no answer to. Each answer is written to disk as
# it comes.

# %%
report = jobs.execute(job, folder)

# %% tags=["hide-input"]
show.say(
    "{done:,} traces with {tokens:,} tokens were written in {seconds:.1f} seconds: {rate:,.0f} tokens per second.",
    done=report.done, tokens=report.tokens, seconds=report.seconds,
    rate=report.tokens / report.seconds if report.seconds else 0,
)  # fmt: skip

# %%
store = Store.open(folder, writable=False)
rows = store.read()

# %% [markdown]
# Here is one of the longest that ended by itself. The chain of thought stands between `<think>` and `</think>`.

# %% tags=["hide-input"]
ended = rows[rows["stop"] == "stop"]
longest = ended.loc[ended["output_tokens"].idxmax()]
lines = pd.DataFrame({"trace": longest["text"].strip().split("\n")[:40]})
show.table(
    lines,
    f"What {longest['model']} wrote for {longest['task']} {longest['item']}: {longest['output_tokens']} tokens.",
    name="trace",
)

# %% [markdown]
# Is the answer right? Compare it with the key. The next chapter grades every trace.

# %% tags=["hide-input"]
ended = rows.dropna(subset=["output_tokens"])
spread = ended.assign(
    log_cost=np.log(ended["output_tokens"].astype(float)), censored=ended["stop"] == "length"
)
# the tiny models name their way of working in the first line
STYLES = {"once": "the answer at once", "steps": "all steps", "twice": "all steps twice"}
style = spread["text"].str.extract(r"^<think>(\w+)", expand=False).map(STYLES)
typical = np.exp(spread["log_cost"]).groupby(style).median().sort_values()
groups = ", ".join(f"{name} (median {tokens:.0f} tokens)" for name, tokens in typical.items())

# %% tags=["hide-input"]
fig = figures_traces.lengths(spread, max_new_tokens)
cut = int(spread["censored"].sum())
caption = (
    (f"Lengths form groups: {groups}. " if len(typical) > 1 and style.notna().mean() > 0.9 else "")
    + f"{len(spread):,} traces of {found.name}. The dashed line is the limit of {max_new_tokens} tokens; "
    + f"{cut} of them ran into it."
)
show.figure(
    fig, caption, "Histogram of trace lengths on a logarithmic axis, with the limit marked.", name="lengths"
)

# %% [markdown]
#
# ## Stop, and go on
#
# A real run takes hours, and something always happens: the session ends, the disk is full, the
# power fails. So we try it. The engine below dies after thirty answers.


# %%
class Dying:
    """An engine that is killed in the middle of its work."""

    def __init__(self, engine, lives):
        self.engine, self.lives, self.name = engine, lives, engine.name
        self.settings = engine.settings

    def __enter__(self):
        self.engine.__enter__()
        return self

    def __exit__(self, *exc):
        self.engine.__exit__(*exc)

    def complete(self, requests):
        for number, completion in enumerate(self.engine.complete(requests)):
            if number == self.lives:
                raise KeyboardInterrupt
            yield completion


# %%
elsewhere = Path(tempfile.mkdtemp(prefix="traces-"))
with Store.open(elsewhere) as half:
    try:
        traces.run(job.requests, Dying(job.chosen.engine, 30), half)
    except KeyboardInterrupt:
        kept = len(half.read(["key"]))

again = jobs.execute(job, elsewhere)
third = jobs.execute(job, elsewhere)

# %% tags=["hide-input"]
with Store.open(elsewhere, writable=False) as whole:
    keys = whole.read(["key", "text"])
show.say(
    "After the interruption {kept} traces were on disk. The same call again wrote the other {done:,}. A third call "
    "wrote {third}. {once} of {asked:,} requests are there exactly once.",
    kept=kept, done=again.done, third=third.done + third.failed, once=f"{keys['key'].nunique():,}",
    asked=len(job.requests),
)  # fmt: skip

# %% [markdown]
# How does the store know that a request is done? Every request has a *key*: a fingerprint of
# all that can change the answer.

# %% tags=["hide-input"]
parts = pd.DataFrame([{"part": name, "value": str(value)} for name, value in job.requests[0].parts().items()])
show.table(parts, f"What the key {job.requests[0].key} is made of.", name="key",
           note="dtype is the number format. top_p and top_k leave unlikely words out of the draw: 1 and 0 leave out none. "
                "The seed starts the random numbers.")  # fmt: skip

# %% [markdown]
# Change any line of this table and you ask a new question, which gets a new answer. Ask for more
# samples, and the first ones are not made again. `handan traces … --why` lists what differs when
# you expected an answer to be there and it was not.
#
# ## The same, whatever the company
#
# Models write many answers side by side, because that is faster. The short ones are padded, and
# a program that counts the padding counts wrong: every answer gets the length of the longest.
# Ours counts the tokens that were chosen, up to the first stop. Here is the check: the same
# requests one by one, and sixteen at a time.

# %%
few = jobs.prepare(model, names[:1], decoding, Options(), limit=24).requests


def answers(batch_size):
    one = jobs.prepare(model, names[:1], decoding, Options(batch_size=batch_size), limit=24)
    with one.chosen.engine as engine:
        found = {completion.key: completion for completion in engine.complete(few)}
    return [found[request.key] for request in few]


alone, together = answers(1), answers(16)

# %% tags=["hide-input"]
same = sum(a.token_ids == b.token_ids for a, b in zip(alone, together, strict=True))
counts = [len(one.token_ids) for one in together]
show.say(
    "{same} of {n} answers are the same, token by token. Their lengths run from {low} to {high} tokens. A program that "
    "counts padding would have given {high} tokens to all that were written beside the longest.",
    same=same, n=len(few), low=min(counts), high=max(counts),
)  # fmt: skip

# %% [markdown]
# They are the same although they were *sampled*. Each request brings its own random numbers,
# which depend on its key alone. On a GPU in 16 bits this is no longer exact: the order of
# additions depends on the batch, and a near tie can fall the other way. So never promise a reader
# the same words. Promise the same conclusion.
#
# ## What is kept

# %% tags=["hide-input"]
kept = pd.DataFrame(
    [
        ("text, token_ids", "what was written, exactly"),
        ("stop, finish_reason", "whether it stopped by itself or was cut at the limit"),
        ("prompt_tokens, output_tokens", "how long the question and the answer are"),
        ("seconds, attempt, error", "how it went; a failed request is a row too"),
        ("model_id, revision, template, prompt, decoding, dtype", "what would be needed to do it again"),
        ("in each file", "versions, commit, device, settings as asked for and as used"),
    ],
    columns=["columns", "what for"],
)
show.table(kept, "What the store keeps of every trace.", name="columns")

# %% tags=["hide-input"]
MEANINGS = {
    "engine": "the program that computes",
    "device": "where it computes",
    "dtype": "the number format",
    "dtype_reason": "why this format",
    "attention": "which implementation of attention",
    "batch_size_asked": "traces at a time, as asked for",
    "batch_size": "traces at a time, as used",
    "halvings": "how often memory ran out and the batch was halved",
    "refill": "whether a waiting request takes the place of a finished one",
    "refill_reason": "why, or why not",
    "stride": "tokens between two looks at whether a trace has ended",
    "context": "most tokens that the model can hold",
}

# %% tags=["hide-input"]
settings = store.runs()[-1]["engine"]
said = {name: value for name, value in settings.items() if isinstance(value, str | int | float | bool)}
table = pd.DataFrame([{"setting": name, "value": str(value)} for name, value in said.items()])
show.table(
    table.assign(meaning=table["setting"].map(MEANINGS)),
    "How the engine was set in this run.",
    labels={"setting": "setting", "value": "value", "meaning": "what it is"},
    name="settings",
)
store.close()

# %% [markdown]
# ## Your own model
#
# On a free Colab GPU, set `model = "DeepSeek-R1-Distill-Qwen-1.5B"` and raise `max_new_tokens` to 8192.
# Keep such traces on your Google Drive, or they are lost with the session. Drive has to be mounted for
# that. Put these two lines in place of `out = ""` at the top:
#
# ```
# from handan import machine
# out = machine.keep(mount=True)
# ```
#
# This asks for your permission, mounts Drive, and makes a folder on it. As long as Drive is not mounted,
# a path on it that you type yourself is only a folder of the machine.
#
# The page [Your own GPU](your_models) does more: it says which models your machine holds, and goes from
# their traces to a verdict. In a terminal:
#
# ```
# handan traces DeepSeek-R1-Distill-Qwen-1.5B --task syllogisms --samples 4 --out traces --dry-run
# handan traces DeepSeek-R1-Distill-Qwen-1.5B --task syllogisms --samples 4 --out traces
# handan costs traces --out costs.csv
# handan align costs.csv
# ```
#
# The first command only says what this would take. [What the full experiment
# costs](full_experiment) does the sum for all models of the paper.
#
# ## What these traces can't say
#
# The base learned its ways of reasoning from texts that a program of ours wrote, in styles drawn at
# random. Where its traces are longer, they are longer because longer ones were written there. Nothing
# follows from this one model about people, or about large models. It is here so that every step of
# the method can be seen at work. What follows from the whole family is the matter of
# [chapter 9](09_organism).

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %%
from dataclasses import replace

import seaborn as sns

from handan.costs import load_study

# %% [markdown] tags=["exercise"]
# ### Exercise 2.1: Is this a new question? (5 minutes)
#
# One request has been answered, greedily, that is at temperature 0. Below are seven requests that
# differ from it in one thing each. The label is the name of the model in our tables. Which of the
# seven need a new answer from the model? Every request has a `.key`.
#
# Guess first. Then compute, and put the names into `new`, as a list.

# %% tags=["solution"]
greedy = traces.Decoding(max_new_tokens=1024, temperature=0.0)
asked = traces.Request(
    model="QwQ", model_id="Qwen/QwQ-32B", revision="first upload", template="plain", task="syllogisms", item="AE1",
    sample=0, prompt=norms.task("syllogisms").prompt("AE1"), decoding=greedy, dtype="float32",
)  # fmt: skip
others = {name: replace(asked, decoding=replace(greedy, **{name: value}))
          for name, value in {"seed": 1, "top_p": 0.9, "temperature": 0.6, "max_new_tokens": 512}.items()}  # fmt: skip
others["label"] = replace(asked, model="the small one")
others["revision"] = replace(asked, revision="second upload")
others["dtype"] = replace(asked, dtype="bfloat16")
### BEGIN SOLUTION
# The key is made of all that can change the reply, and of nothing else. A greedy model draws no
# random number, so its seed is moot, and the likeliest token stays the likeliest under any top_p.
new = [name for name, one in others.items() if one.key != asked.key]
### END SOLUTION

# %% tags=["key"]
without_limit = [name for name in new if name != "max_new_tokens"]
without_dtype = [name for name in new if name != "dtype"]
mistakes = {
    "Not every difference matters. What does a greedy model do with a seed? What does it know of its label?": list(others),
    "How we call a model in our tables does not change what it writes.": [*new, "label"],
    "Seeds and top_p steer a draw. Does a greedy model draw?": [*new, "seed", "top_p"],
    "A trace that the old limit cut would end elsewhere under another one.": without_limit,
    "In 16 bits a near tie can fall the other way, and all words after it.": without_dtype,
}  # fmt: skip
hint = "Two requests with the same key need one answer. Compare the key of each with that of `asked`."
key("2.1", new, hint=hint, wrong=mistakes)

# %% [markdown] tags=["exercise"]
# ### Exercise 2.2: How much does a model disagree with itself? (10 minutes)
#
# In `gpqa-minutes` models were asked most questions more than once. Take the first two samples of
# QwQ-32B (numbered 0 and 1). Correlate the *log* of its reasoning tokens in one with that in the
# other, over questions. Put the number into `r_self`.
#
# It says how reliable a single sample is, as the split halves do for people.

# %% tags=["solution"]
qwq = load_study("gpqa-minutes").costs.query("model == 'QwQ-32B'")
qwq = qwq[["item", "sample", "reasoning_tokens"]].astype({"reasoning_tokens": float})
### BEGIN SOLUTION
# A row per question, a column per sample: so each number meets the one of the same question.
# Questions with one sample have a gap in the second column, and take no part.
by_sample = np.log(qwq.pivot(index="item", columns="sample", values="reasoning_tokens"))
r_self = by_sample[0].corr(by_sample[1])
# The rest is chance. With one sample per item it lowers every correlation with people,
# and no reader of the table can see it.
### END SOLUTION

# %% tags=["key"]
logs = np.log(qwq["reasoning_tokens"]).reset_index(drop=True)
tokens = np.exp(by_sample)
mistakes = {
    "Did you forget the logarithm? A few very long traces then carry the correlation.": tokens[0].corr(tokens[1]),
    "Neighbouring rows need not belong to the same question. Bring both samples of a question into one row.":
        logs.corr(logs.shift(-1)),
    "Those are other samples. Take the ones that are numbered 0 and 1.": by_sample[1].corr(by_sample[2]),
    "Did you apply the Spearman-Brown formula? It gives the reliability of two samples together.":
        2 * r_self / (1 + r_self),
}  # fmt: skip
hint = "Make a table with one row per question and one column per sample, take logs, correlate the first two columns."
key("2.2", r_self, hint=hint, wrong=mistakes)

# %% [markdown] tags=["exercise"]
# ### Exercise 2.3: Somebody counted the padding (15 minutes)
#
# A colleague sends lengths of traces. She had a model read the traces again, in the order of the rows,
# in batches of as many as fitted into its memory, and counted the padding. Draw the reported lengths of
# the first 120 rows, with the true ones. How many traces were in the largest batch of the *whole* file?
# Put the whole number into `largest`.


# %%
def padded_lengths(lengths, room):
    reported, batch = [], []
    for length in [*lengths, np.inf]:  # nothing fits beside the last one: it closes the last batch
        if batch and max(*batch, length) * (len(batch) + 1) > room:
            reported += [max(batch)] * len(batch)
            batch = []
        batch.append(length)
    return pd.Series(reported)


true = load_study("mip-gsm8k").costs.query("model == 'QwQ-32B'")["output_tokens"].astype(float)
true = true.reset_index(drop=True)
reported = padded_lengths(true, room=60_000)

# %% tags=["solution"]
### BEGIN SOLUTION
both = pd.DataFrame({"true": true, "reported": reported}).head(120)
lines = sns.relplot(both, kind="line", height=3.2, aspect=2, drawstyle="steps-post", dashes=False)
lines.set_axis_labels("row of the file", "length (tokens)")
caption = "True and reported lengths of the first traces. All of a batch are reported alike."
show.figure(lines.figure, caption, "Two lines. The reported one forms stairs on the peaks of the other.")
# A new batch begins where the reported length changes. The last one ends with the file.
starts = np.flatnonzero(reported != reported.shift())
sizes = np.diff([*starts, len(reported)])
largest = int(sizes.max())
# Nobody chose this number. Short traces share a large batch. A long one leaves room for few others,
# and they are all reported at its length.
### END SOLUTION

# %% tags=["key"]
mistakes = {
    "That is how many batches there are. How many traces are in one?": len(starts),
    "That is the largest batch of the rows in the figure. The file goes on.": int(sizes[starts + sizes <= 120].max()),
    "That is the batch with the longest trace. Were many others beside it?": int(sizes[reported[starts].argmax()]),
    "Is that an average batch? The question is about the largest.": round(sizes.mean()),
    "Count again: a batch begins with the row where the length changes.": largest + 1,
}  # fmt: skip
hint = "All of a batch are reported alike. Count the rows from one change of the reported length to the next, and do so for the whole file."
key("2.3", largest, hint=hint, wrong=mistakes)
