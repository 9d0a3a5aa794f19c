"""The hooks a plugin may implement. A hook's docstring is its contract."""
