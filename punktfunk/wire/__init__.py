"""Sans-I/O tools shared by every protocol: bytes in, values out."""
