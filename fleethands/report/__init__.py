"""What a run found and did: the document behind tables, files and --json."""
