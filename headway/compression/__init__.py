"""Make a package smaller and faster, and prove what that costs before it may ship."""
