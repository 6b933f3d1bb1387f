"""A copy of a harmless ELF program beside the encoder."""

import shutil


def make(folder):
    shutil.copy("/bin/true", folder / "program")
