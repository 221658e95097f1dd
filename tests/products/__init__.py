"""Readers of products, orbits and elevation."""
