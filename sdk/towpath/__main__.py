"""`python -m towpath`: the command `towpath`, where its script is on no path."""

from towpath.cli.app import main

if __name__ == "__main__":
    main()
