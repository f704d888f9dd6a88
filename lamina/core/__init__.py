"""Floor 0: variables, symbolic tensors, the graph, configs and context. Nothing here knows of any layer."""
