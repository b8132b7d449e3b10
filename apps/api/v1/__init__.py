"""Our own API: reviews, the registry, the gate. `routes.py` lists every route with its rule."""
