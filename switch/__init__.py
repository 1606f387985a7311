"""The shell around Asterisk: facts gathered from it, orders carried out on it."""
