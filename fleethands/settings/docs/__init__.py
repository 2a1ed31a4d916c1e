"""Pages and inventories that are made from the descriptions of settings."""
