"""HTTP whatever the dialect: bodies, paths, compression."""
