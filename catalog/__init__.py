"""Finding, fetching and indexing products, orbits and elevation tiles; knows no kernel and no web server."""
