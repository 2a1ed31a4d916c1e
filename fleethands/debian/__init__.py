"""Packages of Debian and Ubuntu: signed indexes, and what a bare host has to install."""
