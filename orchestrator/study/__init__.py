"""Studies: a published comparison as data, carried out here, reported beside the published figures."""
