"""What importers read: one generation, page by page, pinned."""
