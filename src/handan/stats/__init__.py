"""Statistics that a comparison of correlations on the same items needs.

`correlation` for one correlation or several, `dependent` for two that share people and
items (its formulas in `overlapping`), `bootstrap` over items and its `percentile` intervals,
`unpaired` for the paper's own t test, `simulate` for what each of them gets right,
`pingouin_adapter` for one correlation as a tidy row. `multiplier` and `divergence` compare
costs, `similarity` and `permutation` compare fingerprints, `mixed_model` has crossed items and
models, `random_factor` crossed items and seeds, `power` says what a study can see.
"""
