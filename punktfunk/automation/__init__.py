"""Acts on events: programs to run and addresses to tell."""
