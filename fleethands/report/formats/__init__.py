"""Reports as files, for programs, CI and people."""

from fleethands.report.formats.writer import MAIN, NAMES, ReportFiles

__all__ = ["MAIN", "NAMES", "ReportFiles"]
