"""Host locks: those of a run, and manual ones."""
