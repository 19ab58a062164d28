"""How does somebody get from nothing to a set-up that can run? Writes files here, calls nobody."""
