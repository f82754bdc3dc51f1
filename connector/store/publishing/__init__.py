"""How a harvest becomes a generation: user names, comparison, plan, publish, clean-up."""
