"""A report laid out for a terminal, a browser or a program."""
