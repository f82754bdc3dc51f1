"""How the program is carried to where it runs."""
