"""AGI and AMI as bytes and values; no sockets here."""
