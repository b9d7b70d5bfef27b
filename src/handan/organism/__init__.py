"""Tiny language models, trained from scratch, that think in writing before they answer."""
