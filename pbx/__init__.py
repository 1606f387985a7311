"""The Asterisk that we bring along: found or fetched, configured, started, checked, stopped."""
