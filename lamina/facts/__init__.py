"""Facts about a model: shapes, costs, receptive fields and heads. `explain`, `check` and `view` are built on them."""
