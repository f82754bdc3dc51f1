"""`python -m connector` is `cognito-scim`."""

from connector.cli.main import run

if __name__ == "__main__":
    run()
