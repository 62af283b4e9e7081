"""Runs the handlers of an uploaded zip as the platform does, in processes of their own."""
