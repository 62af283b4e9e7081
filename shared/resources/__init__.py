"""The convergent resources: each module makes one resource as desired, or releases it, safe to repeat."""
