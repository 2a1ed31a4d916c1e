"""Creates bundles: finds what an inventory needs, downloads it, and packs it."""
