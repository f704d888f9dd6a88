"""What every layer is made of: `Layer`, how its calls are bound, its variables, shapes and dtype policy."""
