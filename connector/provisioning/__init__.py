"""Sets up the AWS side of the connector, and looks whether it still is as it was set up."""
