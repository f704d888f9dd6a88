"""Files of Keras 1 and 2 as Keras 3 writes them: configs, graphs, weights, optimizers."""
