"""Cloud Trace Service: who changed what, and who is told about it."""
