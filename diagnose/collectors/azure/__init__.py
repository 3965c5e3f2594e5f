"""Reads what Azure knows of a service: GET, and the POSTs that only read; nothing is ever written."""
