"""The kinds of reports: what each says, where it comes from, and when it cannot be made."""
