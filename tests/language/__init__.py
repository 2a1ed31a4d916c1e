"""Checks that everything a person reads is in plain English: `python -m tests.language`, a part of `make lint`."""
