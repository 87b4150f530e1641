"""NumPy's own functions and methods on Tensors: their names and arguments, answered by ops."""
