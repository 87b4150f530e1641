"""Layers, losses, optimizers and data."""
