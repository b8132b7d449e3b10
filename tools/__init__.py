"""Programs around the site: set-up, embedded PostgreSQL, the supervisor. Standard library only where they run before `.venv`."""
