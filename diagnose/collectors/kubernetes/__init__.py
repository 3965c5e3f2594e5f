"""Brings home what a Kubernetes API server tells of one service, read-only: get, list and log."""
