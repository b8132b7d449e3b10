"""What pages, API and services read of reviews and policies. Nothing here writes, asks who may, or judges."""
