"""The lowest layer: variables, symbolic tensors, the graph, configs and context. It does not depend on any layer
class."""
