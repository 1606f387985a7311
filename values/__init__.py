"""What everything else is made of: amounts and telephone numbers that are surely right. Pure."""
