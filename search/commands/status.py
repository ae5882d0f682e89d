"""`search status`: what runs and what was found."""
