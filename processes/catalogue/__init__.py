"""Processes over the catalogue of products: finding them, and fetching them into the datalake."""
