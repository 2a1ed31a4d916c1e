"""The gateway: nginx with TLS and tokens in front of Ollama."""
