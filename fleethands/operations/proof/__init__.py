"""The proof that a prompt gets an answer."""
