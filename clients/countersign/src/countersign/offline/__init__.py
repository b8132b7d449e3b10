"""What `countersign verify` is made of. Standard library only, and nothing of the program that made the document."""
