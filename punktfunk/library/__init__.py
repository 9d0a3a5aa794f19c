"""The games of all stores, merged, watched and shown."""
