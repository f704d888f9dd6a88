"""Layers that turn text and categories into numbers: lookups, hashing, vectorization."""
