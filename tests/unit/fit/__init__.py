"""Whether a model fits."""
