"""Results folders that can be checked and cited: manifests, figures computed once more, citations."""
