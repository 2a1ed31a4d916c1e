"""Reports as files: for programs, for CI and for people who were not there."""

from fleethands.rollout.written.files import NAMES, Written

__all__ = ["NAMES", "Written"]
