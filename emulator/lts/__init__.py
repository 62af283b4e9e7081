"""Log Tank Service: log groups, log streams and the lines in them."""
