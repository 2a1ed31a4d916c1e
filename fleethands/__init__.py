"""Puts Ollama and OpenHands on hosts over SSH, and proves that a prompt gets an answer."""

__version__ = "0.1.0"
