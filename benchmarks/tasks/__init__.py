"""What the downstream jobs reach on real sets: recipes, runs, and the table made of them."""
