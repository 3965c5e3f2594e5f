"""Data only: the templates and styles of the reports."""
