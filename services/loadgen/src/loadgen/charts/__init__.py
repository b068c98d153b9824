"""How pictures are drawn."""
