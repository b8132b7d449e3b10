"""From rows to the views of a dossier, one module per part of the document."""
