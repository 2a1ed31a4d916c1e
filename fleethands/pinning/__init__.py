"""What versions and tags stand for now, as registries say."""
