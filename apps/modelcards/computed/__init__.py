"""Facts of the record to the parts of computed blocks. Pure: rows and results in, parts out."""
