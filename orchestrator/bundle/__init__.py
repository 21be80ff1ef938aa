"""A bench in one file, for a place without network: written here, used on the board."""
