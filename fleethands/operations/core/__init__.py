"""What every operation stands on: decisions, the journal, diffs, and the scripts that are sent."""
