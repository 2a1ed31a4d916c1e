"""The file of a bundle: its index, its parts, and how both are checked."""
