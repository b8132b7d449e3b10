"""Impact assessments of what a model is used for. See docs/impact.md."""
