"""TensorFlow.js: a model of layers as `model.json`, and its weights next to it."""
