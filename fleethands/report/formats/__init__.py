"""Reports as files: for programs, for CI and for people who were not there."""

from fleethands.report.formats.writer import MAIN, NAMES, ReportFiles

__all__ = ["MAIN", "NAMES", "ReportFiles"]
