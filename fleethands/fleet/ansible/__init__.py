"""Ansible's inventories: INI and YAML files, and the group_vars and host_vars that belong to them."""
