"""File formats of models and weights, one module each."""
