"""What is true of a model: shapes, costs, receptive fields and heads. `explain`, `check` and `view` stand on it."""
