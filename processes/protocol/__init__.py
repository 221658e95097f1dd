"""WPS as it is spoken: requests read strictly, responses that the official schemas accept."""
