"""Finds, fetches and indexes products, orbits and elevation tiles."""
