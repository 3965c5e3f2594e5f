"""Says why an ML model deployment fails, shows the evidence, and how to fix it."""

__version__ = "0.1.0"
