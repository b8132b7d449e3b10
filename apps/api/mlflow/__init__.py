"""The MLflow protocol: HTTP in, services and selectors called, HTTP out. No rule lives here."""
