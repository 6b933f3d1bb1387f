"""`python -m audio_encoder_checker` is `aecc-check`."""

from audio_encoder_checker.cli.check import main

if __name__ == "__main__":
    main()
