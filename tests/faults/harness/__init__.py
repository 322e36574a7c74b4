"""A proxy that breaks HTTP between a client and a real registry, and what runs cases with it."""
