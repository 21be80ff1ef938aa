"""The same plan once more: same cases in the same order, with the same images and artifacts, compared."""
