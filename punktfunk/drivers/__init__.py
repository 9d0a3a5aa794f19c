"""What stevedore loads: one abstract base class a kind of driver.

A driver lives in the session's own process. It takes its plugin's settings, opens
explicitly, owns its native handles, and closes twice without complaint. Drivers define
neither `__bool__` nor `__len__`.
"""
