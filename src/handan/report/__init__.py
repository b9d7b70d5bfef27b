"""One study as one self-contained page: findings, verdicts, data card, versions, with a JSON beside it."""
