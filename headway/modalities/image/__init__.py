"""Images: at which size they are read, and how pixels become standardised numbers."""
