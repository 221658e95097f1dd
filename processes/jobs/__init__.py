"""Jobs: requests that were accepted, kept in a store until they end, run by workers."""
