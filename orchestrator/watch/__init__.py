"""A live page of a running bench, made of its results folder alone; nothing is written and nobody asked.

Everything here is light on purpose: it may run beside a measurement, so it imports little, reads only what
was appended since the last look, and sleeps in between.
"""
