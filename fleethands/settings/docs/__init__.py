"""Pages and an inventory, made from what the settings say of themselves."""
