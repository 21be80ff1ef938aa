"""Telemetry: a program of its own that prints readings as JSON Lines.

Imports nothing of the suite and nothing but the standard library, and runs on Python 3.6, so that a
board needs nothing installed: this folder, or a zipapp of it, is all. Only where a machine has them it uses
NVIDIA's ``pynvml`` and, outside windows, jetson-stats. ``__main__`` says how to call it.
"""
