"""A user's own model becomes one of the catalogue: files, inputs and a card in the user's folder."""
