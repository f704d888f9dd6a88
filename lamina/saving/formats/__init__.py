"""File formats of models and weights, one file each."""
