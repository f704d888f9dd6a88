"""Conversion of Keras 1 and 2 files to the Keras 3 form: configs, graphs, weights and optimizers."""
