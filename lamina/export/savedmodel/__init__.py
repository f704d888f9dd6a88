"""SavedModels of TensorFlow, written without it."""
