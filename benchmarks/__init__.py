"""The instrument's own figures, each beside a peer measured in the same run: ``python -m benchmarks``."""
