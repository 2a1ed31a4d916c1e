"""What all operations share: decisions, scripts, the journal, diffs, release records, proof records, ownership."""
