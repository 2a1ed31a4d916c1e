"""Fetches the parts of artifacts on a host, and puts them where Ollama and Docker have them."""
