"""Whether a model fits: the header of its file, what Ollama needs for it, and where its layers go."""
