"""Ollama as a service, as a container, or at an address that is declared."""
