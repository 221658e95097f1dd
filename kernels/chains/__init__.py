"""Chains: one checked request and one run function for each product that users ask for."""
