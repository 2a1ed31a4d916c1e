"""What a run found and did: the data behind tables, files and --json."""
