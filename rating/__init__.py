"""Prefixes, rate decks, plans and routes: seconds become prices that say why."""
