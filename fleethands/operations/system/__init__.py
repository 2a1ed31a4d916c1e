"""Packages, accounts, directories and files."""
