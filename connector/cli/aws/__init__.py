"""The command `aws`: the AWS side sets itself up, and is looked after."""
