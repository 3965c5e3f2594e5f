"""Pure functions of evidence: rules in, findings out."""
