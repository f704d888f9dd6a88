"""Tests of what was meant by names and arguments that do not exist."""
