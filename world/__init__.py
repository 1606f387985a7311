"""A telephone world to test against: carriers and phones played by a second Asterisk."""
