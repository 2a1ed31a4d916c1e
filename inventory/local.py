"""This machine itself: `pyinfra inventory/local.py deploy.py`."""

local = [("@local", {"models": ["codellama:7b"]})]
