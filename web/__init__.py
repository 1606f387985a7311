"""The shell for browsers and programs: HTTP in, the same questions and orders behind it."""
