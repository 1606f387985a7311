"""One call from a single ring to an invoice, shown live: what bin/demo runs."""
