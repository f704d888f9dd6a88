"""What users do wrong, and a proof that the fix which the error prints repairs it."""
