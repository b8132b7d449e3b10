"""Policies: a declarative document, validated, versioned, immutable."""
