"""Pictures for people: text, heads, heat and charts."""
