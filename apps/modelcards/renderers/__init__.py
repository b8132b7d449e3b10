"""One card, several forms. Every renderer takes plain data and touches no database, network or file
beyond the project's own templates."""
