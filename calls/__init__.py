"""A callback's life: its states, the events that move it and the orders that follow. Pure."""
