"""What the steps of an interferogram share: files between them, and how images are opened."""
