"""Finds plugins, loads them, asks them, and ranks what they offer.

`discovery` and `loading` get plugins into a process, `calls` asks them without being
harmed, `prober` asks all of them in a child process (whose program is `probe`), and
`ranking` picks.
"""
