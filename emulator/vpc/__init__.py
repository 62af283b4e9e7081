"""Virtual Private Cloud: networks, peerings and routes in three API generations over one store."""
