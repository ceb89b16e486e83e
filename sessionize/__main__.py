"""`python -m sessionize`."""

from sessionize.cli import main

if __name__ == "__main__":
    main()
