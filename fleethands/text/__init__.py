"""Text formats: systemd, TOML, and text that is safe to show."""
