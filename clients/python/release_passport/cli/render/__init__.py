"""What the commands print, one module for each form."""
