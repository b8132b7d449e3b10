"""A small client of a Countersign site: ask its gate, read and submit reviews. Standard library only."""

__version__ = "0.1.0"
