"""The Keeper plugins: written in `source/`, carried as single files, which `make keeper` makes."""
