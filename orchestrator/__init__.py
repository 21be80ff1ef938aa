"""Inferometer: a microbenchmark suite for neural-network inference on the hardware people ship."""

__version__ = "0.2.0"
