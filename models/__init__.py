"""Cards, builders and exporters: every format of a model from one PyTorch source and one set of weights.

Runs in a container or virtual environment of its own and shares no code with the rest of the suite:
what leaves it is a folder of artifacts with a manifest.
"""
