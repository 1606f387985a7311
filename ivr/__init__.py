"""The spoken dialog: what to say next and which keys are meant."""
