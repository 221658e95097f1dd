"""The SAR science of Fournaise, free of any web or catalogue code."""
