"""Resolves versions and tags to digests, by asking registries."""
