"""Data only: the rule files, one a known failure."""
