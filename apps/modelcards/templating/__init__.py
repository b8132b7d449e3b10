"""Card templates: which blocks a card has within the nine sections, in which order, and which of them must be answered."""
