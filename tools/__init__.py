"""Programs for those who work on fleethands."""
