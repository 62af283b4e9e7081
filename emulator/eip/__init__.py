"""Elastic IP v1 and v3: public addresses and their bandwidths."""
