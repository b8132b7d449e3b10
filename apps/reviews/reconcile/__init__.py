"""Compare the rows of apps.reviews with the ledger's events (invariant 5), one module for each kind of row."""
