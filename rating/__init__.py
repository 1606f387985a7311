"""Rate decks and plans; from seconds and rates to prices, longest talks and routes. Pure."""
