"""How the results of kinds without a block of their own are shown: results in, parts of a page and of the card out. Pure."""
