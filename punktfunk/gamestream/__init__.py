"""The GameStream protocol as Moonlight speaks it. No sockets, no clocks, no threads."""
