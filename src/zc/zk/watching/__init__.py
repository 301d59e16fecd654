"""Live objects, and the cache of watched nodes that they are views of."""
