"""Training: data as batches, losses and metrics by output, the step, and the one loop of fit, evaluate and predict."""
