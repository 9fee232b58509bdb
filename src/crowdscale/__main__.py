"""``python -m crowdscale``: the same as the command ``crowdscale``."""

from crowdscale.cli.main import main

if __name__ == "__main__":
    main()
