"""Whether exposures are as they should be: read in bulk, compare, say what differs and why."""
