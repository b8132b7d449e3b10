"""Pictures of parts: each of `core.parts.Picture` becomes a Vega-Lite specification in two widths. Pure."""
