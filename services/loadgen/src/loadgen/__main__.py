"""`python -m loadgen`: the command line."""

from loadgen.commands.cli import main

if __name__ == "__main__":
    main()
