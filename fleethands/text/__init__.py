"""Forms that text takes: of systemd, of TOML, and safe to show."""
